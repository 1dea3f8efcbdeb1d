// Reads the message, lets dry_run() find out, writes down what it found.
#include "gateway/cli/explain_command.h"

#include <ostream>
#include <string>
#include <utility>

#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/message_file.h"
#include "gateway/explain/dry_run.h"
#include "gateway/explain/explain_json.h"
#include "gateway/explain/explain_text.h"
#include "gateway/explain/stored_message.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ExplainOptions& options) {
  syntax.argument("MESSAGE", "A file; - is standard input", options.message);
  syntax.config_file(options.config_file);
  declare_envelope(syntax, options.given);
  syntax.flag("--milters", "Asks the configured milters too, as if a mail came", options.milters);
  syntax.json(options.json);
}

}  // namespace

int explain_command(const ExplainOptions& options, const Console& console) {
  const auto loaded = load_configuration(options.config_file, console);
  if (!loaded) return exit_code::configuration;
  int exit = exit_code::ok;
  auto message = read_message_file(options.message, loaded->settings->limits.message_size + 1, console, exit);
  if (!message) return exit;
  explain::Envelope envelope = explain::make_envelope(options.given, message->content, *loaded->settings);
  const auto explanation = explain::dry_run(*loaded->settings, std::move(envelope), std::move(*message),
                                            options.milters ? explain::Milters::asked : explain::Milters::not_asked);
  if (!explanation) {
    console.err << options.config_file << ": error: " << explanation.error().message << "\n";
    return exit_code::configuration;
  }
  console.out << (options.json ? explain::explain_json(*explanation) : explain::explain_text(*explanation));
  return explanation->passes() ? exit_code::ok : exit_code::not_passed;
}

const Command explain_entry{"explain",
                            "What the checks say of a stored message; nothing is relayed, no rate is counted",
                            make_invocation<ExplainOptions, declare, explain_command>};

}  // namespace sallyport::cli
