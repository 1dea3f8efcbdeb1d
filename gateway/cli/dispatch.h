// From the command line to the command.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli/command.h"

namespace sallyport::cli {

// Runs what `arguments` (without the program's name) ask for and returns the exit status. `run` is the command of the
// daemon, which the composition root (gateway/app, which this folder may not include) adds to the list.
int dispatch(const std::vector<std::string>& arguments, const Console& console, const Command& run);

}  // namespace sallyport::cli
