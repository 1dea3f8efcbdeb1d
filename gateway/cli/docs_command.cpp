#include "gateway/cli/docs_command.h"

#include <ostream>

#include "gateway/cli/command_description.h"
#include "gateway/cli/completion.h"
#include "gateway/cli/docs_tables.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/manual_page.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, DocsOptions& options) {
  options.commands = syntax.commands();
  syntax.json(options.json);
}

void declare_completion(Syntax& syntax, DocsOptions& options) {
  options.commands = syntax.commands();
  syntax.argument("SHELL", "bash, zsh or fish", options.shell);
}

int commands_command(const DocsOptions& options, const Console& console) {
  const auto commands = describe(options.commands);
  console.out << (options.json ? commands_json(commands) : manual_of_commands(commands));
  return exit_code::ok;
}

int settings_command(const DocsOptions& options, const Console& console) {
  console.out << (options.json ? settings_json() : manual_of_settings());
  return exit_code::ok;
}

int replies_command(const DocsOptions& options, const Console& console) {
  console.out << (options.json ? replies_json() : manual_of_replies());
  return exit_code::ok;
}

int completion_command(const DocsOptions& options, const Console& console) {
  const auto script = completion_script(options.shell, describe(options.commands));
  if (!script) {
    console.err << "sallyport: " << script.error().message << "\n";
    return exit_code::usage;
  }
  console.out << *script;
  return exit_code::ok;
}

}  // namespace

const Command docs_commands_entry{"docs commands", "The manual page sallyport(8)",
                                  make_invocation<DocsOptions, declare, commands_command>};
const Command docs_settings_entry{"docs settings", "The manual page sallyport.toml(5)",
                                  make_invocation<DocsOptions, declare, settings_command>};
const Command docs_replies_entry{"docs replies", "The manual page sallyport-replies(7): all replies to clients",
                                 make_invocation<DocsOptions, declare, replies_command>};
const Command docs_completion_entry{"docs completion", "A script for a shell, which completes our command line",
                                    make_invocation<DocsOptions, declare_completion, completion_command>};

}  // namespace sallyport::cli
