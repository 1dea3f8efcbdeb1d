// `sallyport sessions`: the sessions that are open in the running daemon.
#pragma once

#include <ostream>
#include <string>

#include "gateway/cli/command.h"
#include "gateway/control/sessions.h"

namespace sallyport::cli {

struct SessionsOptions {
  std::string config_file = default_config_file;
  control::SessionsRequest request;
  bool json = false;
};

int sessions_command(const SessionsOptions& options, const Console& console);
extern const Command sessions_entry;

// The table that the command prints: a line for each session.
void print_sessions(std::ostream& out, const control::SessionReports& reports, control::SessionOrder order);

}  // namespace sallyport::cli
