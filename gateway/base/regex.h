// Regex: regular expressions by RE2: linear time and bounded memory for any pattern and text (threats.md M17). The only
// place outside lua/engine that uses RE2. Thread-safe once compiled.
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
  // Fails if the pattern does not compile or needs more memory; the text says where.
  static Result<Regex> compile(std::string_view pattern, Options options);
  static Result<Regex> compile(std::string_view pattern) { return compile(pattern, Options{}); }

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  bool found_in(std::string_view text) const;
  bool matches(std::string_view text) const;  // the whole text
  // The whole first match, then its groups; empty if there is no match. The views point into `text`.
  std::vector<std::string_view> groups(std::string_view text) const;
  const std::string& pattern() const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace sallyport
