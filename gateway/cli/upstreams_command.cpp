#include "gateway/cli/upstreams_command.h"

#include <ostream>

#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/control/upstreams.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, UpstreamsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
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
  return show_answer(options.config_file, "upstreams", console, control::decode_upstreams, [&](const auto& servers) {
    if (options.json) {
      console.out << control::upstreams_json(servers) << "\n";
    } else {
      for (const control::ServerReport& server : servers) print(console.out, server);
    }
  });
}

const Command upstreams_entry{"upstreams", "The servers behind the running daemon, with their states",
                              make_invocation<UpstreamsOptions, declare, upstreams_command>};

}  // namespace sallyport::cli
