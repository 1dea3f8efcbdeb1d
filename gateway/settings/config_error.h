// Origin: the position of a setting in the files. ConfigError: an error at such a position.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::settings {

// Lines and columns count from 1. Line 0: the file as a whole. Empty file: not given in any file, so the default.
struct Origin {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool is_default() const { return file.empty(); }
  std::string to_string() const;  // "FILE:LINE:COL", "FILE" or "default"

  friend bool operator==(const Origin&, const Origin&) = default;
};

struct ConfigError {
  Origin at;
  std::string message;

  std::string to_string() const;  // "FILE:LINE:COL: error: message"

  friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

using ConfigErrors = std::vector<ConfigError>;

}  // namespace sallyport::settings
