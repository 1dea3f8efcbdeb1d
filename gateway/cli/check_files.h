// The part of `check` that reads the files which a configuration names: certificates, authorities, keys, rules.
#pragma once

#include <string>

#include "gateway/base/units.h"
#include "gateway/cli/check_report.h"

namespace sallyport::cli {

// Each finding stands at the place of the configuration that names the file, those in rules at the rule's own line.
CheckReport check_files(const config::Loaded& loaded, const std::string& config_file, WallTime now);

}  // namespace sallyport::cli
