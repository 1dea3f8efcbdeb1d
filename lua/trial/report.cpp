#include "lua/trial/report.h"

#include <algorithm>
#include <cstdio>

namespace sallyport::lua {

namespace {

std::string name_of(const TestResult& result) { return result.name.empty() ? "(outside of tests)" : result.name; }

std::string seconds_text(Duration took) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double>(took).count());
  return text;
}

// For text and attributes of XML, which cannot have control characters at all.
std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        xml += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return xml;
}

std::string without_extension(const std::string& file) { return file.substr(0, file.rfind('.')); }

}  // namespace

std::string TestFailure::to_string() const {
  return file + (line > 0 ? ":" + std::to_string(line) : std::string()) + ": " + message;
}

std::size_t TestReport::failed() const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [](const TestResult& one) { return !one.passed(); }));
}

std::string to_text(const TestReport& report) {
  std::string text;
  for (const TestResult& result : report.results) {
    text += (result.passed() ? "ok    " : "FAIL  ") + result.file + "  " + name_of(result) + "\n";
    for (const TestFailure& failure : result.failures) text += "      " + failure.to_string() + "\n";
  }
  text += std::to_string(report.results.size()) + (report.results.size() == 1 ? " test, " : " tests, ") +
          std::to_string(report.failed()) + " failed\n";
  return text;
}

std::string to_junit(const TestReport& report) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"sallyport rules\" tests=\"" +
      std::to_string(report.results.size()) + "\" failures=\"" + std::to_string(report.failed()) + "\" errors=\"0\">\n";
  for (const TestResult& result : report.results) {
    xml += "    <testcase classname=\"" + escaped(without_extension(result.file)) + "\" name=\"" +
           escaped(name_of(result)) + "\" file=\"" + escaped(result.file) + "\" line=\"" + std::to_string(result.line) +
           "\" time=\"" + seconds_text(result.took) + "\"";
    if (result.passed()) {
      xml += "/>\n";
      continue;
    }
    xml += ">\n";
    for (const TestFailure& failure : result.failures) {
      xml += "      <failure message=\"" + escaped(failure.message) + "\">" + escaped(failure.to_string()) +
             "</failure>\n";
    }
    xml += "    </testcase>\n";
  }
  return xml + "  </testsuite>\n</testsuites>\n";
}

}  // namespace sallyport::lua
