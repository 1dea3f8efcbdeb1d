// Loads test data that others have written and that is not part of this tree. It is looked for in the folder named by
// SALLYPORT_CORPORA, else beside the source tree. Tests that need it are reported as skipped when it is missing.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace sallyport::support {

// The path of a file of the corpora, whether it exists or not.
inline std::filesystem::path corpus_path(const std::string& file) {
  const char* const named = std::getenv("SALLYPORT_CORPORA");
  return std::filesystem::path(named != nullptr ? named : "../shared/corpora") / file;
}

// The octets of a file of the corpora, such as a message; nothing when there is no such file.
inline std::optional<std::string> load_corpus_octets(const std::string& file) {
  std::ifstream stream(corpus_path(file), std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

// The JSON in a file of the corpora; nothing when there is no such file.
inline std::optional<nlohmann::json> load_corpus(const std::string& file) {
  const std::optional<std::string> octets = load_corpus_octets(file);
  if (!octets) return std::nullopt;
  return nlohmann::json::parse(*octets);
}

// Skips the current test when `corpus`, the result of load_corpus() or load_corpus_octets(), is empty.
#define SALLYPORT_SKIP_WITHOUT(corpus) \
  if (!(corpus)) GTEST_SKIP() << "skipped: corpora not found"

// Counts the cases of a corpus and prints "NAME: passed/total" when it is destroyed. A case has passed when no
// expectation has failed since the case before was counted.
class CorpusScore {
 public:
  explicit CorpusScore(std::string name) : name_(std::move(name)) {}
  CorpusScore(const CorpusScore&) = delete;
  CorpusScore& operator=(const CorpusScore&) = delete;
  ~CorpusScore() {
    EXPECT_GT(total_, 0U) << name_ << " has no cases";
    std::cout << name_ << ": " << passed_ << "/" << total_ << "\n";
  }

  void count_case() {
    const std::size_t failures = failures_so_far();
    if (failures == failures_before_) ++passed_;
    failures_before_ = failures;
    ++total_;
  }

 private:
  static std::size_t failures_so_far() {
    const testing::TestResult& result = *testing::UnitTest::GetInstance()->current_test_info()->result();
    std::size_t failures = 0;
    for (int i = 0; i < result.total_part_count(); ++i) failures += result.GetTestPartResult(i).failed() ? 1U : 0U;
    return failures;
  }

  std::string name_;
  std::size_t passed_ = 0;
  std::size_t total_ = 0;
  std::size_t failures_before_ = 0;
};

}  // namespace sallyport::support
