// `sallyport docs`: the program's own manual pages, the tables that they are made of, and completion for shells. It
// reads no file.
#pragma once

#include <span>
#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct DocsOptions {
  std::span<const Command* const> commands;
  std::string shell;
  bool json = false;
};

extern const Command docs_commands_entry;
extern const Command docs_settings_entry;
extern const Command docs_replies_entry;
extern const Command docs_completion_entry;

}  // namespace sallyport::cli
