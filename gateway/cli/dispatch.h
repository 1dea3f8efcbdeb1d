// From the command line to the command.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli/command.h"

namespace sallyport::cli {

// Runs what `arguments` (without the program's name) ask for and returns the exit status. `processes` are the commands
// that serve, which the composition root (gateway/app, which this folder may not include) puts before the list.
int dispatch(const std::vector<std::string>& arguments, const Console& console, std::vector<const Command*> processes);

}  // namespace sallyport::cli
