// `sallyport top`: what the running daemon does, drawn anew each second.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct TopOptions {
  std::string config_file = default_config_file;
  bool once = false;
  bool json = false;
};

int top_command(const TopOptions& options, const Console& console);
extern const Command top_entry;

}  // namespace sallyport::cli
