// UpstreamGroup: one upstream of the configuration with its settings, its servers and its TLS context.
//
// A group is part of a configuration snapshot and never changes; its servers (server.h) do change, and outlive it. When
// the addresses of a name change, the snapshot is replaced by one whose groups have the new servers, as by a reload.
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
#include "gateway/upstream/figures.h"
#include "gateway/upstream/server.h"

namespace sallyport::upstream {

struct UpstreamTimeouts {
  Duration connect;
  Duration reply;
  Time open_by = Time::max();  // by then the connection is ready for mail
};

struct UpstreamGroup {
  config::UpstreamSettings settings;
  std::vector<std::shared_ptr<UpstreamServer>> servers;  // in the order of the configuration
  std::shared_ptr<const tls::ClientContext> tls;         // null: the connections use no TLS
  std::string ehlo_name;                                 // our own host name
  UpstreamTimeouts timeouts{};
  // The servers speak LMTP: they answer for each recipient after the content, and the client gets one reply for all
  // (threats.md S22). So a mail has one recipient, and others get 452 4.5.3.
  bool takes_one_recipient = false;
  // Of all groups of this name since the start.
  std::shared_ptr<UpstreamFigures> figures = std::make_shared<UpstreamFigures>();
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

// The extensions that our EHLO may offer: those of `own` that every group has (contract.md, section 4; threats.md U12).
// A group has what all its servers have whose extensions are known, or what its settings promise
// (upstreams.*.extensions); it has none while none of its servers has been seen. REQUIRETLS is offered only when every
// group verifies its servers' certificates. When every group takes one recipient for each mail, LIMITS RCPTMAX says so.
smtp::Extensions offer(const UpstreamGroups& groups, const smtp::Extensions& own);

}  // namespace sallyport::upstream
