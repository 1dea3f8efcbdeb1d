// The command line: `sallyport COMMAND [-c FILE] ...`. The only door to CLI11.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gateway/app/commands.h"

namespace sallyport::app {

using Command = std::variant<RunOptions, SinkOptions, CheckOptions, ConfigShowOptions, ConfigExplainOptions,
                             ConfigSchemaOptions, StatsOptions, ExplainOptions, DmarcReportOptions>;

// Nothing to run: --help, --version (exit status 0, text for stdout) or a usage error (64, text for stderr).
struct Leave {
  int exit_status = 0;
  std::string text;
};

// `arguments` are without the program's name. -c may stand before or after the command.
std::variant<Command, Leave> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace sallyport::app
