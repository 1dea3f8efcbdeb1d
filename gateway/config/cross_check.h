// What one value alone cannot tell: whether the parts of a configuration fit each other.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "gateway/config/config_error.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::config {

// Where the effective values come from.
struct Places {
  const std::string& file;  // the main file: where something is missing
  const std::map<std::string, Origin, std::less<>>& by_path;

  // The place of the first of these keys that was given, else the top of the file.
  Origin of(std::initializer_list<std::string_view> paths) const;
};

void cross_check(const Settings& settings, const Places& places, ConfigErrors& errors);

}  // namespace sallyport::config
