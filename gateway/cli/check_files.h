// The part of `check` that looks behind the configuration: certificates and keys, rules, and the places it names.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/config/load.h"

namespace sallyport::cli {

struct FileReport {
  config::ConfigErrors errors;
  config::ConfigErrors warnings;  // worth knowing, and no reason not to start: an expired certificate (threats.md T9)
};

// Each finding stands at the place of the configuration that names the file, those in rules at the rule's own line.
FileReport check_files(const config::Loaded& loaded, const std::string& config_file, WallTime now);

}  // namespace sallyport::cli
