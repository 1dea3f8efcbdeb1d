// Finds settings that can never take effect: those of a check that is off, an upstream that no tenant uses, a
// certificate to verify without a name that it could bear. They are warnings: the configuration is served all the same.
//
// What only a policy can tell of its own settings, its adviser says (policies/advisers.h).
#pragma once

#include <string>

#include "gateway/config/load.h"

namespace sallyport::config {

ConfigErrors find_dead_settings(const Loaded& loaded, const std::string& config_file);

}  // namespace sallyport::config
