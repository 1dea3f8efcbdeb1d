// Where the control socket of the daemon is, for commands that must reach it though the configuration has errors; and
// what they say when it does not answer.
#pragma once

#include <string>

#include "gateway/base/result.h"
#include "gateway/config/load.h"

namespace sallyport::cli {

// `outcome` is what was read from the file. Where an error, such as one of syntax, hides the state directory, the lines
// with errors are left out, and those above them, one after the other, until `state.path` is found; when nothing helps,
// its default counts.
std::string daemon_socket(const std::string& config_file, const config::Outcome& outcome);

Failure unreachable(const std::string& socket, const Failure& why);
Failure unusable_answer(const std::string& socket, const Failure& why);

}  // namespace sallyport::cli
