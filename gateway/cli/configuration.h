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

// The configuration as its reader may see it. Who does not own all files that it was read from sees no names that may
// contain a secret, such as the customer's key in a DNS list's zone: files are sometimes readable for a group, and what
// commands print is copied into tickets.
config::Loaded as_reader_may_see(config::Loaded loaded, const std::string& config_file);
bool owns_files(const config::Loaded& loaded, const std::string& config_file);

}  // namespace sallyport::cli
