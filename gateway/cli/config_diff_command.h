// `sallyport config diff`: what differs between the configuration that runs and the files. Exit status 0: nothing, 1:
// something, 69: the daemon does not answer.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ConfigDiffOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

int config_diff_command(const ConfigDiffOptions& options, const Console& console);
extern const Command config_diff_entry;

}  // namespace sallyport::cli
