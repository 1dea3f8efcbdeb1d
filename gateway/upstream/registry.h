// UpstreamRegistry: finds the UpstreamServer of an address, so that what was learned about a server survives a reload.
//
// One per process. Two configurations mean the same server when its address, the name of its group and the TLS settings
// of that group are equal; its health, extensions and connection count are then kept. A server that no snapshot names
// and no connection uses is forgotten; if it is configured again later, it starts as a new one.
//
// Any thread may call it, under its mutex: a reload makes the groups off the loops.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "gateway/upstream/group.h"

namespace sallyport::upstream {

// By the name of the upstream; one for each upstream that uses TLS.
using ClientContexts = std::map<std::string, std::shared_ptr<const tls::ClientContext>>;

class UpstreamRegistry {
 public:
  UpstreamRegistry() = default;
  UpstreamRegistry(const UpstreamRegistry&) = delete;
  UpstreamRegistry& operator=(const UpstreamRegistry&) = delete;

  // Makes the groups of a configuration: its upstreams, with its host name and timeouts. Each group keeps its own
  // context of `tls`.
  UpstreamGroups make_groups(const config::Settings& settings, const ClientContexts& tls);
  // The number of servers that a snapshot or a connection still uses.
  std::size_t size() const;

 private:
  // Name of the group, address, and the members of the group's TLS settings.
  using Key = std::tuple<std::string, SocketAddress, tls::UpstreamTls, std::string, std::string>;

  std::shared_ptr<UpstreamServer> server(const config::UpstreamSettings& group, const SocketAddress& address);
  void forget_unused();

  mutable std::mutex mutex_;
  std::map<Key, std::weak_ptr<UpstreamServer>> servers_;
  std::uint64_t last_serial_ = 0;
};

}  // namespace sallyport::upstream
