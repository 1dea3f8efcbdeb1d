#include "gateway/app/reply_routes.h"

#include <string_view>

#include "gateway/cli/reply_route.h"

namespace sallyport::app {

void report_missing_routes(const session::Snapshot& snapshot, CommonParts& common) {
  for (const auto& [name, group] : snapshot.upstreams) {
    if (group->settings.client_info != config::ClientInfoWay::tproxy) continue;
    for (const auto& server : group->servers) {
      if (server->address().is_unix()) continue;
      const auto missing = cli::missing_reply_route(server->address().address());
      if (!missing) continue;
      common.counters.add(Fault::client_info);
      common.log->write(LogLevel::warning, "fault",
                        {{"kind", sallyport::name(Fault::client_info)},
                         {"upstream", server->name()},
                         {"detail", std::string_view(*missing)}});
    }
  }
}

}  // namespace sallyport::app
