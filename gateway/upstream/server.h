// UpstreamServer: what all workers know of one upstream server: whether it is up, its extensions, and how many
// connections it has.
//
// Shared by the worker threads; all changing members are atomic, and nothing locks. The connections themselves belong
// to the loop that opened them (pool.h). Only these values are shared: so limits are exact, and when one worker finds a
// server down, the others need not try to connect to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/base/endpoint.h"
#include "gateway/base/units.h"
#include "gateway/smtp/extensions.h"

namespace sallyport::upstream {

class UpstreamServer : public std::enable_shared_from_this<UpstreamServer> {
 public:
  // `address` is no name that has still to be looked up.
  explicit UpstreamServer(Endpoint address) : address_(std::move(address)) {}

  const Endpoint& address() const { return address_; }

  // The extensions in its last EHLO reply, limited to those that our own EHLO depends on; nothing before the first
  // reply.
  std::optional<smtp::Extensions> extensions() const;
  void learned(const smtp::Extensions& extensions);

  // The breaker (threats.md U16): after a failure the server is passed over for 2 s, then tried again.
  bool is_down(Time now) const { return now.time_since_epoch().count() < down_until_.load(std::memory_order_relaxed); }
  void failed(Time now, bool for_want_of_tls = false);
  // True if the last failure was that TLS is required and could not be established (U15).
  bool lacks_tls() const { return lacks_tls_.load(std::memory_order_relaxed); }
  void succeeded(Time now);
  // When a worker last had an answer from it; a server in use need not be probed.
  Time last_success() const { return Time(Duration(last_success_.load(std::memory_order_relaxed))); }

  // Counts one more connection; false, without counting, when there are `most` already.
  bool acquire_slot(std::uint64_t most);
  void release_slot() { connections_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t connections() const { return connections_.load(std::memory_order_relaxed); }

  // How many groups of all workers wait for a slot. While any does, pools keep no idle connection to the server, or one
  // worker could starve another.
  void starving(int change) { starving_.fetch_add(change, std::memory_order_relaxed); }
  int starving() const { return starving_.load(std::memory_order_relaxed); }

 private:
  const Endpoint address_;
  std::atomic<std::uint32_t> extensions_{0};  // bits; 0 = unknown
  std::atomic<std::uint64_t> max_size_{0};
  std::atomic<Duration::rep> down_until_{0};
  std::atomic<bool> lacks_tls_{false};
  std::atomic<Duration::rep> last_success_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<int> starving_{0};
};

}  // namespace sallyport::upstream
