// The command line: `sallyport COMMAND [-c FILE] ...`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gateway/cli/command.h"

namespace sallyport::cli {

// Nothing to run: --help, --version (exit status 0, text for stdout) or a usage error (64, text for stderr).
struct Leave {
  int exit_status = 0;
  std::string text;
};

// Which of `commands` is meant, with its options. `arguments` are without the program's name. -c may stand before or
// after the command.
std::variant<std::unique_ptr<Invocation>, Leave> parse_command_line(const std::vector<std::string>& arguments,
                                                                    std::span<const Command* const> commands);

}  // namespace sallyport::cli
