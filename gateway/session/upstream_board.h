// What all workers know about the upstream servers: who is up, who can what, how many sessions each has.
//
// Shared by the worker threads; every member is atomic, nothing locks. Connections themselves belong to one loop
// (upstream_pool.h); only these few words are common, so that limits stay exact and one worker's failed connect spares
// the others theirs.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/smtp/extensions.h"

namespace sallyport::session {

class UpstreamServer {
 public:
  explicit UpstreamServer(SocketAddress address) : address_(address) {}

  const SocketAddress& address() const { return address_; }

  // Its last EHLO reply, of the abilities that our own EHLO depends on; nothing before the first.
  std::optional<smtp::Extensions> abilities() const;
  void learned(const smtp::Extensions& extensions);

  // The breaker (threats.md U16): after a failure the server is passed over for a moment, then tried again.
  bool is_down(Time now) const { return now.time_since_epoch().count() < down_until_.load(std::memory_order_relaxed); }
  void failed(Time now, bool for_want_of_tls = false);
  // What it failed for when it was last found down: that there was no TLS where TLS is required (U15).
  bool lacks_tls() const { return lacks_tls_.load(std::memory_order_relaxed); }
  void succeeded(Time now);
  // When it last answered us; a server that is in use need not be probed.
  Time last_success() const { return Time(Duration(last_success_.load(std::memory_order_relaxed))); }

  // One more connection, unless there are `most` already.
  bool take_place(std::uint64_t most);
  void give_place() { connections_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t connections() const { return connections_.load(std::memory_order_relaxed); }

  // How many workers wait for a place: connections are not kept idle meanwhile, or one worker could starve another.
  void starving(int change) { starving_.fetch_add(change, std::memory_order_relaxed); }
  int starving() const { return starving_.load(std::memory_order_relaxed); }

 private:
  const SocketAddress address_;
  std::atomic<std::uint32_t> abilities_{0};  // bits; 0 = unknown
  std::atomic<std::uint64_t> max_size_{0};
  std::atomic<Duration::rep> down_until_{0};
  std::atomic<bool> lacks_tls_{false};
  std::atomic<Duration::rep> last_success_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<int> starving_{0};
};

struct UpstreamGroup {
  config::UpstreamSettings settings;
  std::vector<std::unique_ptr<UpstreamServer>> servers;

  // RFC 8689, 4.2.1: such a message goes only over TLS, to a server that has shown who it is and promises the same.
  bool can_require_tls(const smtp::Extensions& server) const {
    return settings.tls.mode == tls::UpstreamTls::verify && server.requiretls;
  }
};

class UpstreamBoard {
 public:
  explicit UpstreamBoard(const std::map<std::string, config::UpstreamSettings>& upstreams);

  // Null when there is none of that name.
  UpstreamGroup* find(const std::string& name);
  const std::map<std::string, UpstreamGroup>& groups() const { return groups_; }
  std::map<std::string, UpstreamGroup>& groups() { return groups_; }
  // What our EHLO may offer, given our own abilities: what every server behind us has; unknown = not offered
  // (contract.md, section 4). REQUIRETLS also takes a route that may use no connection but a verified one.
  smtp::Extensions offer(const smtp::Extensions& own) const;

 private:
  std::map<std::string, UpstreamGroup> groups_;
};

}  // namespace sallyport::session
