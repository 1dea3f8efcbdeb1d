// Reading the configuration, for commands that cannot go on without it.
#pragma once

#include <optional>
#include <string>

#include "gateway/cli/command.h"
#include "gateway/config/load.h"

namespace sallyport::cli {

// One line for each error, on console.err.
void print_errors(const config::ConfigErrors& errors, const Console& console);

// Nothing when there are errors, which are printed then; the command's exit status is exit_code::configuration.
std::optional<config::Loaded> load_configuration(const std::string& config_file, const Console& console);

}  // namespace sallyport::cli
