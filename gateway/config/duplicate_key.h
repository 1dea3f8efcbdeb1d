// Says where a key was given before. toml++ stops at a key or a table that is given twice in one file, and names only
// the second place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/config_error.h"

namespace sallyport::config {

// `at` is where the TOML library found it. Nothing when the first place cannot be found, as inside an inline table.
std::optional<ConfigError> explain_duplicate(std::string_view toml, const std::string& file, const Origin& at);

}  // namespace sallyport::config
