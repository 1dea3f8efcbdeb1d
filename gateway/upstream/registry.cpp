#include "gateway/upstream/registry.h"

#include <algorithm>

namespace sallyport::upstream {

UpstreamGroups UpstreamRegistry::make_groups(const config::Settings& settings, const ClientContexts& tls) {
  std::lock_guard lock(mutex_);
  forget_unused();
  UpstreamGroups groups;
  ++last_serial_;
  for (const auto& [name, upstream] : settings.upstreams) {
    auto group = std::make_shared<UpstreamGroup>();
    group->settings = upstream;
    for (const SocketAddress& address : upstream.servers) group->servers.push_back(server(upstream, address));
    if (const auto context = tls.find(name); context != tls.end()) group->tls = context->second;
    group->ehlo_name = settings.hostname;
    group->timeouts = {settings.timeouts.upstream_connect, settings.timeouts.upstream_reply};
    group->serial = last_serial_;
    groups.emplace(name, std::move(group));
  }
  return groups;
}

std::shared_ptr<UpstreamServer> UpstreamRegistry::server(const config::UpstreamSettings& group,
                                                         const SocketAddress& address) {
  std::weak_ptr<UpstreamServer>& known =
      servers_[{group.name, address, group.tls.mode, group.tls.name, group.tls.ca_file}];
  auto server = known.lock();
  if (!server) {
    server = std::make_shared<UpstreamServer>(address);
    known = server;
  }
  return server;
}

void UpstreamRegistry::forget_unused() {
  std::erase_if(servers_, [](const auto& entry) { return entry.second.expired(); });
}

std::size_t UpstreamRegistry::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(servers_.begin(), servers_.end(), [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace sallyport::upstream
