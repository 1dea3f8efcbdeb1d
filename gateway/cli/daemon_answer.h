// How a command asks the running daemon something and shows the answer (`stats`, `upstreams`, `lists`).
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/base/units.h"
#include "gateway/cli/command.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"

namespace sallyport::cli {

struct DaemonAnswer {
  std::string socket;
  std::string line;
};

// Sends the request to the daemon that runs with this configuration, even if its files have errors by now. After a
// failure, which it has told on console.err, it gives the exit code.
std::variant<DaemonAnswer, int> ask_daemon(const std::string& config_file, std::string_view request,
                                           const Console& console);
// The same for a request that is more than a command.
std::variant<DaemonAnswer, int> send_to_daemon(const std::string& config_file, std::string_view request_line,
                                               const Console& console);

// Sends the request to the socket, and once more while the process there says that another one is about to take its
// place (gateway/control/upgrade.h).
Result<std::string> ask_who_serves(const std::string& socket, std::string_view request, Duration timeout);

// Gives what the daemon's answer means to `show`. Returns the exit code.
template <class Decode, class Show>
int show(const std::variant<DaemonAnswer, int>& answer, const Console& console, Decode decode, Show show) {
  if (const int* code = std::get_if<int>(&answer)) return *code;
  const auto& [socket, line] = std::get<DaemonAnswer>(answer);
  const auto reports = decode(line);
  if (!reports) {
    console.err << "sallyport: " << unusable_answer(socket, reports.error()).message << "\n";
    return exit_code::unavailable;
  }
  show(*reports);
  return exit_code::ok;
}

// Asks the daemon and gives what its answer means to `show`. Returns the exit code.
template <class Decode, class Show>
int show_answer(const std::string& config_file, std::string_view request, const Console& console, Decode decode,
                Show show) {
  return cli::show(ask_daemon(config_file, request, console), console, decode, show);
}

// "2026-11-29 18:54:44", in the zone of this machine. `seconds` since 1970.
std::string local_time(std::int64_t seconds);

}  // namespace sallyport::cli
