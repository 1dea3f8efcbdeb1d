// `sallyport drain`: the running daemon takes no new sessions, finishes what is under way, and ends, as by SIGTERM; but
// asked again, it breaks nothing off. Exit status 0 when it has begun, or had before; 69: nobody answers.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct DrainOptions {
  std::string config_file = default_config_file;
};

int drain_command(const DrainOptions& options, const Console& console);
extern const Command drain_entry;

}  // namespace sallyport::cli
