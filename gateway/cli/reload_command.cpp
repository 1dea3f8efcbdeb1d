#include "gateway/cli/reload_command.h"

#include <chrono>
#include <ostream>

#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ReloadOptions& options) { syntax.config_file(options.config_file); }

// Other reloads may be under way, and rules take their time to compile.
constexpr Duration patience = std::chrono::minutes(2);

}  // namespace

int reload_command(const ReloadOptions& options, const Console& console) {
  // Only for the place of the socket. The daemon reads its files itself, and says what is wrong with them.
  const config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  const std::string socket = daemon_socket(options.config_file, outcome);
  const auto response = ask_who_serves(socket, control::encode({"reload"}), patience);
  if (!response) {
    print_errors(outcome.errors, console);
    console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
    return outcome.errors.empty() ? exit_code::unavailable : exit_code::configuration;
  }
  const auto decoded = control::decode_reloaded(*response);
  if (!decoded) {
    console.err << "sallyport: " << unusable_answer(socket, decoded.error()).message << "\n";
    return exit_code::unavailable;
  }
  if (!*decoded) {
    for (const std::string& error : decoded->error()) console.err << error << "\n";
    console.err << "sallyport: nothing has changed, the daemon goes on with the configuration it had\n";
    return exit_code::configuration;
  }
  const control::Reloaded& reloaded = **decoded;
  console.out << "configuration " << reloaded.config << " is in force: " << reloaded.changed;
  const char* separator = "; at the next start: ";
  for (const std::string& key : reloaded.needs_restart) {
    console.out << separator << key;
    separator = ", ";
  }
  console.out << "\n";
  if (reloaded.incomplete.empty()) return exit_code::ok;
  console.err << "sallyport: " << reloaded.incomplete << "\n";
  return exit_code::temporary;
}

const Command reload_entry{"reload", "Let the running daemon take its configuration anew",
                           make_invocation<ReloadOptions, declare, reload_command>};

}  // namespace sallyport::cli
