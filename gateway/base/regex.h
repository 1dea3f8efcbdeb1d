// Regular expressions by RE2: linear in the text, bounded in memory, whatever the pattern and whoever wrote it
// (threats.md M17). The only door to RE2 outside lua/engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport {

class Regex {
 public:
  struct Options {
    bool ignore_case = false;
    std::size_t max_memory_bytes = 8u << 20;
  };
  // A pattern that does not compile, or needs more memory, is an error that says where.
  static Result<Regex> compile(std::string_view pattern, Options options);
  static Result<Regex> compile(std::string_view pattern) { return compile(pattern, Options{}); }

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  bool found_in(std::string_view text) const;
  bool matches(std::string_view text) const;  // the whole text
  // The groups of the first match, the whole match first; empty when there is none. They point into `text`.
  std::vector<std::string_view> groups(std::string_view text) const;
  const std::string& pattern() const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace sallyport
