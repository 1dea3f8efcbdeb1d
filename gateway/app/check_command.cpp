#include <chrono>
#include <ostream>

#include "gateway/app/check_files.h"
#include "gateway/app/commands.h"
#include "gateway/app/exit_code.h"
#include "gateway/config/explain.h"
#include "gateway/config/load.h"

namespace sallyport::app {

int check_command(const CheckOptions& options, const Console& console) {
  config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  // Also when the text is wrong somewhere: all errors in one run.
  FileReport files = check_files(outcome.loaded, options.config_file, std::chrono::system_clock::now());
  config::ConfigErrors errors = std::move(outcome.errors);
  errors.insert(errors.end(), files.errors.begin(), files.errors.end());

  if (options.json) {
    console.out << config::report_json(options.config_file, errors, files.warnings);
  } else {
    for (const config::ConfigError& error : errors) console.err << error.to_string() << "\n";
    for (const config::ConfigError& warning : files.warnings)
      console.err << warning.at.to_string() << ": warning: " << warning.message << "\n";
    if (errors.empty()) console.out << options.config_file << ": ok\n";
  }
  return errors.empty() ? exit_code::ok : exit_code::configuration;
}

}  // namespace sallyport::app
