#include "gateway/upstream/balance.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace sallyport::upstream {

namespace {

// Answers that come within this time are equally quick. Beyond it, each doubling of the time doubles what a connection
// counts.
constexpr Duration quick = std::chrono::milliseconds(25);

std::uint64_t load_of(const UpstreamServer& server) {
  const auto slowness = static_cast<std::uint64_t>(server.latency() / quick);
  return (server.connections() + 1) << std::min<std::uint64_t>(std::bit_width(slowness), 8);
}

struct Rank {
  bool is_other;  // than the preferred one
  bool is_avoided;
  std::uint64_t load;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

}  // namespace

std::vector<UpstreamServer*> candidates(const UpstreamGroup& group, const std::vector<FailedServer>& failed,
                                        const UpstreamServer* preferred, Time now) {
  std::vector<UpstreamServer*> servers;
  servers.reserve(group.servers.size());
  const bool by_load = group.settings.balance == config::Balance::least_sessions;
  const auto rank_of = [&](const UpstreamServer& server) {
    return Rank{&server != preferred, server.is_avoided(now), by_load ? load_of(server) : 0};
  };
  for (const auto& server : group.servers) {
    if (server->is_down(now)) continue;
    const bool has_failed = std::any_of(failed.begin(), failed.end(), [&](const FailedServer& one) {
      return one.server == server.get() && !one.is_forgiven;
    });
    if (has_failed) continue;
    // Before the first that is worse; there are few.
    const Rank rank = rank_of(*server);
    const auto place =
        std::find_if(servers.begin(), servers.end(), [&](const auto* other) { return rank < rank_of(*other); });
    servers.insert(place, server.get());
  }
  return servers;
}

bool forgive(std::vector<FailedServer>& failed, Time now) {
  bool has_any = false;
  for (FailedServer& one : failed) {
    if (!one.may_recover || one.is_forgiven || one.server->is_down(now)) continue;
    one.is_forgiven = has_any = true;
  }
  return has_any;
}

}  // namespace sallyport::upstream
