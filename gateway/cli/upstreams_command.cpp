#include "gateway/cli/upstreams_command.h"

#include <array>
#include <chrono>
#include <ctime>
#include <ostream>

#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"
#include "gateway/control/upstreams.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, UpstreamsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::localtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

// The server that an administrator looks for stands at the beginning; what it has said stands at the end.
void print(std::ostream& out, const control::ServerReport& server) {
  out << text::showable(server.upstream) << "  " << text::showable(server.address);
  if (!server.name.empty()) out << " (" << text::showable(server.name) << ")";
  out << "  " << text::showable(server.state) << " since " << local_time(server.since) << ", " << server.connections
      << (server.connections == 1 ? " connection" : " connections") << "\n";
  if (!server.reason.empty()) {
    out << (server.state == "up" ? "  last trouble: " : "  reason: ") << text::showable(server.reason) << "\n";
  }
  if (!server.extensions.empty()) out << "  has " << text::showable(text::join(server.extensions, ", ")) << "\n";
}

}  // namespace

int upstreams_command(const UpstreamsOptions& options, const Console& console) {
  // The daemon may run though its files have errors by now.
  const config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  const std::string socket = daemon_socket(options.config_file, outcome);
  const auto response = control::ask(socket, control::encode({"upstreams"}), std::chrono::seconds(5));
  if (!response) {
    print_errors(outcome.errors, console);
    console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
    return outcome.errors.empty() ? exit_code::unavailable : exit_code::configuration;
  }
  const auto servers = control::decode_upstreams(*response);
  if (!servers) {
    console.err << "sallyport: " << unusable_answer(socket, servers.error()).message << "\n";
    return exit_code::unavailable;
  }
  if (options.json) {
    console.out << control::upstreams_json(*servers) << "\n";
  } else {
    for (const control::ServerReport& server : *servers) print(console.out, server);
  }
  return exit_code::ok;
}

const Command upstreams_entry{"upstreams", "The servers behind the running daemon, with their states",
                              make_invocation<UpstreamsOptions, declare, upstreams_command>};

}  // namespace sallyport::cli
