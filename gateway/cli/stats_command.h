// `sallyport stats`: the counters of the running daemon.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct StatsOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

int stats_command(const StatsOptions& options, const Console& console);
extern const Command stats_entry;

}  // namespace sallyport::cli
