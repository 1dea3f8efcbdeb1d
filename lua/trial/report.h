// What the tests of a directory of rules came to, as a value, as text and as JUnit's XML.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/units.h"

namespace sallyport::lua {

struct TestFailure {
  std::string file;  // without the directory
  int line = 0;      // 0: of the file as a whole
  std::string message;

  std::string to_string() const;  // "words_test.lua:12: expected 3, got 0"
};

struct TestResult {
  std::string file;
  std::string name;  // empty: what stands outside of t.test
  int line = 0;
  std::size_t checks = 0;
  Duration took{};
  std::vector<TestFailure> failures;

  bool passed() const { return failures.empty(); }
};

struct TestReport {
  // In the order in which they ran. What a file does outside of t.test is among them where it failed or checked
  // something.
  std::vector<TestResult> results;

  std::size_t failed() const;
  bool passed() const { return failed() == 0; }
};

std::string to_text(const TestReport& report);
std::string to_junit(const TestReport& report);

}  // namespace sallyport::lua
