#include "gateway/cli/check_command.h"

#include <chrono>
#include <ostream>
#include <string>

#include "gateway/cli/check_files.h"
#include "gateway/cli/check_machine.h"
#include "gateway/cli/check_names.h"
#include "gateway/cli/check_policies.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/dead_settings.h"
#include "gateway/config/explain.h"
#include "gateway/config/load.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, CheckOptions& options) {
  syntax.config_file_or_argument(options.config_file);
  syntax.json(options.json);
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string in_words(const config::Contents& contents) {
  return counted(contents.listeners, "listener") + ", " + counted(contents.upstreams, "upstream") + ", " +
         counted(contents.lists, "list") + ", " + counted(contents.rules, "rule");
}

}  // namespace

int check_command(const CheckOptions& options, const Console& console) {
  config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  // Also when the text is wrong somewhere: all errors in one run.
  CheckReport report = check_files(outcome.loaded, options.config_file, std::chrono::system_clock::now());
  report.errors.insert(report.errors.begin(), outcome.errors.begin(), outcome.errors.end());
  report.warnings.insert(report.warnings.begin(), outcome.warnings.begin(), outcome.warnings.end());
  // Of a file that cannot be read nothing is known, and the defaults say nothing about this machine.
  if (!outcome.loaded.settings->hostname.empty()) {
    for (config::ConfigError& warning : config::find_dead_settings(outcome.loaded, options.config_file))
      report.warnings.push_back(std::move(warning));
    check_names(outcome.loaded, options.config_file, report);
    check_machine(outcome.loaded, options.config_file, report);
  }

  const config::Contents contents{outcome.loaded.settings->listen.size(), outcome.loaded.settings->upstreams.size(),
                                  count_lists(outcome.loaded), count_rules(outcome.loaded)};
  if (options.json) {
    console.out << config::report_json(options.config_file, report.errors, report.warnings, contents);
  } else {
    print_errors(report.errors, console);
    for (const config::ConfigError& warning : report.warnings)
      console.err << warning.at.to_string() << ": warning: " << warning.message << "\n";
    if (report.errors.empty()) console.out << "ok: " << in_words(contents) << "\n";
  }
  return report.errors.empty() ? exit_code::ok : exit_code::configuration;
}

const Command check_entry{"check", "Check the configuration, all that it names, and this machine",
                          make_invocation<CheckOptions, declare, check_command>};

}  // namespace sallyport::cli
