// `sallyport upgrade`: has the program, as it lies on the disk by now, take the place of the one that serves, without a
// connection refused. Exit status 0 when it serves; 78 or 75 when it has not become ready (78: its configuration is
// wrong), and what served goes on; 69: nobody answers, or a version that knows no upgrade.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct UpgradeOptions {
  std::string config_file = default_config_file;
};

int upgrade_command(const UpgradeOptions& options, const Console& console);
extern const Command upgrade_entry;

}  // namespace sallyport::cli
