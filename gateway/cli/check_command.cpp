#include "gateway/cli/check_command.h"

#include <chrono>
#include <ostream>

#include "gateway/cli/check_files.h"
#include "gateway/cli/check_names.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/explain.h"
#include "gateway/config/load.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, CheckOptions& options) {
  syntax.config_file_or_argument(options.config_file);
  syntax.json(options.json);
}

}  // namespace

int check_command(const CheckOptions& options, const Console& console) {
  config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  // Also when the text is wrong somewhere: all errors in one run.
  FileReport files = check_files(outcome.loaded, options.config_file, std::chrono::system_clock::now());
  for (config::ConfigError& warning : check_names(outcome.loaded)) files.warnings.push_back(std::move(warning));
  config::ConfigErrors errors = std::move(outcome.errors);
  errors.insert(errors.end(), files.errors.begin(), files.errors.end());

  if (options.json) {
    console.out << config::report_json(options.config_file, errors, files.warnings);
  } else {
    print_errors(errors, console);
    for (const config::ConfigError& warning : files.warnings)
      console.err << warning.at.to_string() << ": warning: " << warning.message << "\n";
    if (errors.empty()) console.out << options.config_file << ": ok\n";
  }
  return errors.empty() ? exit_code::ok : exit_code::configuration;
}

const Command check_entry{"check", "Check the whole configuration and everything it names",
                          make_invocation<CheckOptions, declare, check_command>};

}  // namespace sallyport::cli
