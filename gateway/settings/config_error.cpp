#include "gateway/settings/config_error.h"

namespace sallyport::settings {

std::string Origin::to_string() const {
  if (file.empty()) return "default";
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string ConfigError::to_string() const { return at.to_string() + ": error: " + message; }

}  // namespace sallyport::settings
