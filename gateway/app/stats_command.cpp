#include <chrono>
#include <ostream>

#include "gateway/app/commands.h"
#include "gateway/app/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"

namespace sallyport::app {

int stats_command(const StatsOptions& options, const Console& console) {
  const auto loaded = config::load(options.config_file, config::Disk());
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) console.err << error.to_string() << "\n";
    return exit_code::configuration;
  }
  const std::string socket = control::socket_path(loaded->settings->state.path);
  const auto response = control::ask(socket, control::encode({"stats"}), std::chrono::seconds(5));
  if (!response) {
    console.err << "sallyport: the daemon cannot be reached at " << socket << ": " << response.error().message
                << ". Is it running with this configuration, and may you open its socket?\n";
    return exit_code::unavailable;
  }
  const auto stats = control::decode_stats(*response);
  if (!stats) {
    console.err << "sallyport: the daemon at " << socket << " answered: " << stats.error().message << "\n";
    return exit_code::unavailable;
  }
  if (options.json) {
    console.out << control::stats_json(*stats) << "\n";
  } else {
    for (const auto& [name, value] : *stats) console.out << name << " " << value << "\n";
  }
  return exit_code::ok;
}

}  // namespace sallyport::app
