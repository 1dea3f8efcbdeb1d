// LinesLog: a log that keeps its lines in memory, formatted as the gateway writes them, for tests to read.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/log.h"

namespace sallyport::support {

class LinesLog : public Log {
 public:
  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    lines.push_back(format_line(LogFormat::text, level, event, fields));
    return true;
  }
  // The first line that contains `word`; empty when there is none.
  std::string find(std::string_view word) const {
    auto has_word = [&](const std::string& line) { return line.find(word) != std::string::npos; };
    const auto found = std::find_if(lines.begin(), lines.end(), has_word);
    return found == lines.end() ? std::string() : *found;
  }
  // The number of lines that contain all of these words.
  std::size_t count(std::initializer_list<std::string_view> words) const {
    auto has_all = [&](const std::string& line) {
      return std::all_of(words.begin(), words.end(),
                         [&](std::string_view word) { return line.find(word) != std::string::npos; });
    };
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), has_all));
  }

  std::vector<std::string> lines;
};

}  // namespace sallyport::support
