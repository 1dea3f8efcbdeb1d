// `sallyport run`: the daemon. It serves in the foreground until a signal ends it.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::app {

struct RunOptions {
  std::string config_file = cli::default_config_file;
  bool is_without_admin = false;
};

extern const cli::Command run_entry;

}  // namespace sallyport::app
