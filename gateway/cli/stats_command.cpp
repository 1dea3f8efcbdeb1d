#include "gateway/cli/stats_command.h"

#include <chrono>
#include <ostream>

#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, StatsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

}  // namespace

int stats_command(const StatsOptions& options, const Console& console) {
  // The daemon may run though its files have errors by now.
  const config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  const std::string socket = daemon_socket(options.config_file, outcome);
  const auto response = control::ask(socket, control::encode({"stats"}), std::chrono::seconds(5));
  if (!response) {
    print_errors(outcome.errors, console);
    console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
    return outcome.errors.empty() ? exit_code::unavailable : exit_code::configuration;
  }
  const auto stats = control::decode_stats(*response);
  if (!stats) {
    console.err << "sallyport: " << unusable_answer(socket, stats.error()).message << "\n";
    return exit_code::unavailable;
  }
  if (options.json) {
    console.out << control::stats_json(*stats) << "\n";
  } else {
    for (const auto& [name, value] : *stats) console.out << name << " " << value << "\n";
  }
  return exit_code::ok;
}

const Command stats_entry{"stats", "The counters of the running daemon",
                          make_invocation<StatsOptions, declare, stats_command>};

}  // namespace sallyport::cli
