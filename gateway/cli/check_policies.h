// The part of `check` that prepares each check as `run` does, so that keys are read and rules compiled.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/cli/check_report.h"

namespace sallyport::cli {

// Of the global settings, and of each tenant that has its own. A problem stands where it is, or at the place of the key
// that led there.
void check_policies(const config::Loaded& loaded, const std::string& config_file, CheckReport& report);

// How many rules and lists the configuration has.
std::size_t count_rules(const config::Loaded& loaded);
std::size_t count_lists(const config::Loaded& loaded);

}  // namespace sallyport::cli
