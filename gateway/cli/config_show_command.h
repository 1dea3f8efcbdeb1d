// `sallyport config show`: all effective values and where each comes from, or those that count for one tenant.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ConfigShowOptions {
  std::string config_file = default_config_file;
  bool json = false;
  std::string tenant = {};  // only what counts for this tenant; empty: everything
};

int config_show_command(const ConfigShowOptions& options, const Console& console);
extern const Command config_show_entry;

}  // namespace sallyport::cli
