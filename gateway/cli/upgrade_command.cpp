#include "gateway/cli/upgrade_command.h"

#include <chrono>
#include <ostream>

#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/protocol.h"
#include "gateway/control/upgrade.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, UpgradeOptions& options) { syntax.config_file(options.config_file); }

// Longer than the supervising process waits for the new one; a reload may be under way before.
constexpr Duration patience = std::chrono::minutes(3);

}  // namespace

int upgrade_command(const UpgradeOptions& options, const Console& console) {
  // Only for the place of the socket. The new process reads the files itself, and says what is wrong with them.
  const config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  const std::string socket = daemon_socket(options.config_file, outcome);
  const auto response = ask_who_serves(socket, control::encode({"upgrade"}), patience);
  if (!response) {
    print_errors(outcome.errors, console);
    console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
    return exit_code::unavailable;
  }
  const auto decoded = control::decode_upgrade(*response);
  if (!decoded) {
    console.err << "sallyport: " << unusable_answer(socket, decoded.error()).message << "\n";
    return exit_code::unavailable;
  }
  if (!*decoded) {
    const control::NotUpgraded& reason = decoded->error();
    console.err << reason.why;
    if (!reason.why.ends_with('\n')) console.err << "\n";
    console.err << "sallyport: nothing has changed, what served goes on\n";
    return reason.status;
  }
  console.out << "version " << **decoded << " serves; the process before it ends with its last session\n";
  return exit_code::ok;
}

const Command upgrade_entry{"upgrade", "Have the program on the disk take over from the running daemon",
                            make_invocation<UpgradeOptions, declare, upgrade_command>};

}  // namespace sallyport::cli
