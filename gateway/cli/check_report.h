// What the parts of `check` find.
#pragma once

#include <string>

#include "gateway/config/load.h"

namespace sallyport::cli {

struct CheckReport {
  config::ConfigErrors errors;
  config::ConfigErrors warnings;  // no reason not to start: what can never take effect, an expired certificate

  void fail(config::Origin at, std::string message) { errors.push_back({std::move(at), std::move(message)}); }
  void warn(config::Origin at, std::string message) { warnings.push_back({std::move(at), std::move(message)}); }
};

// Where a key was given, by its full path; for a default the top of the configuration.
inline config::Origin place_of(const config::Loaded& loaded, const std::string& config_file, const std::string& path) {
  config::Origin at = loaded.origin_of(path);
  return at.is_default() ? config::Origin{config_file, 1, 1} : at;
}

}  // namespace sallyport::cli
