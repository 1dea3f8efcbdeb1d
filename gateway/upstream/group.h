// UpstreamGroup: one upstream of the configuration with its settings, its servers and its TLS context.
//
// A group is part of a configuration snapshot and never changes; its servers (server.h) do change, and outlive it.
// After a reload, sessions that began earlier keep using the group of their own snapshot, while new ones use the group
// of the same name in the new snapshot. Both groups share the servers that stand in both, and so their connection
// counts and health.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config/gateway_settings.h"
#include "gateway/smtp/extensions.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/server.h"

namespace sallyport::upstream {

struct UpstreamTimeouts {
  Duration connect;
  Duration reply;
};

struct UpstreamGroup {
  config::UpstreamSettings settings;
  std::vector<std::shared_ptr<UpstreamServer>> servers;  // in the order of the configuration
  std::shared_ptr<const tls::ClientContext> tls;         // null: the connections use no TLS
  std::string ehlo_name;                                 // our own host name
  UpstreamTimeouts timeouts{};
  // Grows with each configuration: a group of a newer one has a higher number.
  std::uint64_t serial = 0;

  // RFC 8689, 4.2.1: a message with REQUIRETLS goes only over TLS, to a server whose certificate was verified and which
  // offers REQUIRETLS as well.
  bool can_require_tls(const smtp::Extensions& server) const {
    return settings.tls.mode == tls::UpstreamTls::verify && server.requiretls;
  }
};

// All groups of one configuration, by name.
using UpstreamGroups = std::map<std::string, std::shared_ptr<UpstreamGroup>>;

// The extensions that our EHLO may offer: those of `own` that every server of every group has. A server whose
// extensions are not known yet counts as having none (contract.md, section 4). REQUIRETLS is offered only when every
// group verifies its servers' certificates.
smtp::Extensions offer(const UpstreamGroups& groups, const smtp::Extensions& own);

}  // namespace sallyport::upstream
