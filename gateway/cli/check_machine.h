// The part of `check` that looks at this machine: what `run` would stumble over, by what can be seen without starting
// it.
//
// Ports are tried, so for a moment a port that is free is taken. A daemon that runs with this configuration is no
// obstacle: it is asked over its control socket. What only root can do, and what only the service user can find out, is
// judged when `check` runs as root.
#pragma once

#include <string>

#include "gateway/cli/check_report.h"

namespace sallyport::cli {

void check_machine(const config::Loaded& loaded, const std::string& config_file, CheckReport& report);

}  // namespace sallyport::cli
