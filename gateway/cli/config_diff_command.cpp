#include "gateway/cli/config_diff_command.h"

#include <chrono>
#include <ostream>

#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/diff.h"
#include "gateway/config/in_public.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ConfigDiffOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

// What counts in the daemon that runs.
Result<config::EffectiveValues> running_values(const std::string& state_path) {
  const std::string socket = control::socket_path(state_path);
  const auto response = control::ask(socket, control::encode({"values"}), std::chrono::seconds(5));
  if (!response) return unreachable(socket, response.error());
  const auto text = control::decode_values(*response);
  if (!text) return unusable_answer(socket, text.error());
  return config::read_effective_values(*text);
}

}  // namespace

int config_diff_command(const ConfigDiffOptions& options, const Console& console) {
  const auto loaded = load_configuration(options.config_file, console);
  if (!loaded) return exit_code::configuration;
  const auto running = running_values(loaded->settings->state.path);
  if (!running) {
    console.err << "sallyport: " << running.error().message << "\n";
    return exit_code::unavailable;
  }
  auto changes = config::changes(*running, config::effective_values(*loaded));
  if (!owns_files(*loaded, options.config_file)) {
    for (config::Change& change : changes) change.path = config::path_in_public(change.path);
  }
  console.out << (options.json ? config::to_json(changes) : config::to_text(changes));
  return changes.empty() ? exit_code::ok : exit_code::not_passed;
}

const Command config_diff_entry{"config diff",
                                "What a reload or a restart would change: the running configuration against the files",
                                make_invocation<ConfigDiffOptions, declare, config_diff_command>};

}  // namespace sallyport::cli
