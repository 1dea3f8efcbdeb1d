// From the command line to the command.
#pragma once

#include <string>
#include <vector>

#include "gateway/app/commands.h"

namespace sallyport::app {

// Runs what `arguments` (without the program's name) ask for and gives the exit status.
int dispatch(const std::vector<std::string>& arguments, const Console& console);

}  // namespace sallyport::app
