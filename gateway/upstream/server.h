// UpstreamServer: what all workers know of one upstream server: its state, its extensions, how many connections it has
// and how many it takes, and how well it has served lately.
//
// Shared by the worker threads. All that is looked at for each mail is atomic; a mutex guards only the text and the
// times of status(), which change when the state does. The connections themselves belong to the loop that opened them
// (pool.h). Only these values are shared: so limits are exact, and when one worker finds a server down, the others need
// not try to connect to it.
//
// threats.md U19: the server is down when new connections to it fail, and it is passed over for 2 s then. A transaction
// that fails says nothing about the server; when several in a row do, its state is down too, but it goes on to be asked
// where no other server is left, as it may be one client's mail that makes them fail.
//
// status() is for whoever shows servers to people (the command `upstreams`): any thread may call it at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/endpoint.h"
#include "gateway/base/units.h"
#include "gateway/smtp/extensions.h"

namespace sallyport::upstream {

enum class ServerState : std::uint8_t {
  unknown,  // not asked yet
  up,
  full,  // it takes no more connections than `bound`, and has said so lately
  down,
};
std::string_view name(ServerState state);

struct ServerStatus {
  ServerState state = ServerState::unknown;
  Time since{};        // of the loops' clock (steady_clock); of no meaning while unknown
  std::string reason;  // why it was last full or down, printable ASCII; empty: it never was
  std::uint64_t connections = 0;
  // How many connections it takes, as far as it has said so; nothing: as many as max_connections.
  std::optional<std::uint64_t> bound;
};

class UpstreamServer : public std::enable_shared_from_this<UpstreamServer> {
 public:
  // `address` is no name that has still to be looked up.
  explicit UpstreamServer(Endpoint address) : address_(std::move(address)) {}

  const Endpoint& address() const { return address_; }
  // For the log and for people.
  std::string name() const { return address_.to_string(); }
  ServerStatus status(Time now) const;

  // The extensions in its last EHLO reply, limited to those that our own EHLO depends on; nothing before the first
  // reply.
  std::optional<smtp::Extensions> extensions() const;
  void learned(const smtp::Extensions& extensions);

  // -- its state. Each of these tells whether the state has changed: the caller logs and counts that, and so it is done
  // once, whichever workers find it out.
  // A new connection was opened. That an unknown server is up is no news.
  [[nodiscard]] bool connected(Time now);
  // A new connection could not be opened.
  [[nodiscard]] bool failed_to_connect(Time now, std::string_view reason, bool for_want_of_tls);
  // It takes no further connection while we hold some: the bound is lowered to what we have without the refused one,
  // and grows back with time.
  [[nodiscard]] bool is_full(Time now, std::string_view reason);
  // A transaction came to its end, by whatever reply that is no failure of the server's.
  [[nodiscard]] bool served(Time now);
  // A transaction was broken off: reset, silence, or rubbish.
  [[nodiscard]] bool failed_to_serve(Time now, std::string_view reason);

  // The breaker (threats.md U16): open for 2 s after new connections have failed.
  bool is_down(Time now) const { return now.time_since_epoch().count() < down_until_.load(std::memory_order_relaxed); }
  // True if the last failure was that TLS is required and could not be established (U15).
  bool lacks_tls() const { return lacks_tls_.load(std::memory_order_relaxed); }
  // When a worker last had an answer from it; a server in use need not be probed.
  Time last_success() const { return Time(Duration(last_success_.load(std::memory_order_relaxed))); }

  // -- how much mail it gets (balance.h).
  // It has refused a mail for now (4xx), whatever the mail: for a while, longer each time, others are preferred.
  void refused_for_now(Time now);
  bool is_avoided(Time now) const {
    return now.time_since_epoch().count() < avoided_until_.load(std::memory_order_relaxed);
  }
  // How long it took to answer MAIL and RCPT.
  void answered_after(Duration latency);
  // A mean of these, the newer ones weighing more.
  Duration latency() const { return Duration(latency_.load(std::memory_order_relaxed)); }

  // -- its connections.
  // Counts one more connection; false, without counting, when there are `most` already, or as many as it takes.
  bool acquire_slot(std::uint64_t most, Time now);
  // Of one who releases a place and then looks whether somebody waits, and one who waits and then looks for a place, at
  // least one sees the other: these and waiting() are in one order for all threads.
  void release_slot() { connections_.fetch_sub(1); }
  std::uint64_t connections() const { return connections_.load(std::memory_order_relaxed); }

  // Whether it could not be told of a client (client_info.h). True if that is otherwise than at the last mail.
  bool note_untold(bool is_untold) { return is_untold_.exchange(is_untold, std::memory_order_relaxed) != is_untold; }

  // How many acquire() of all workers wait for a place of it, or one of another server (waiting_room.h). While any
  // does, pools give up connections that are of no use at the moment (pool.h).
  void waiting(int change) { waiting_.fetch_add(change); }
  int waiting() const { return waiting_.load(); }
  // How many connections of all workers lie idle.
  void idle(int change) { idle_.fetch_add(change, std::memory_order_relaxed); }
  int idle() const { return idle_.load(std::memory_order_relaxed); }
  // Whether a probe is under way, of whichever worker; at most one is. False: one was.
  bool begin_probe() { return !probing_.exchange(true, std::memory_order_relaxed); }
  void end_probe() { probing_.store(false, std::memory_order_relaxed); }

  // Opportunistic TLS has failed with it: for a while no mail tries again.
  void tls_has_failed(Time now);
  bool is_tls_hopeless(Time now) const {
    return now.time_since_epoch().count() < no_tls_until_.load(std::memory_order_relaxed);
  }

 private:
  using Moment = std::atomic<Duration::rep>;  // a Time; 0 = never

  bool enter(ServerState state, Time now, std::string_view reason);
  std::uint64_t bound(Time now) const;

  const Endpoint address_;
  std::atomic<std::uint32_t> extensions_{0};  // bits; 0 = unknown
  std::atomic<std::uint64_t> max_size_{0};
  std::atomic<ServerState> state_{ServerState::unknown};
  Moment down_until_{0};
  std::atomic<bool> lacks_tls_{false};
  std::atomic<std::uint32_t> failed_in_a_row_{0};  // transactions
  Moment last_success_{0};
  Moment avoided_until_{0};
  std::atomic<std::uint32_t> refused_in_a_row_{0};  // mails, for now
  std::atomic<Duration::rep> latency_{0};
  Moment no_tls_until_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> bound_{0};  // at bounded_at_; of no meaning before
  Moment bounded_at_{0};
  std::atomic<int> waiting_{0};
  std::atomic<int> idle_{0};
  std::atomic<bool> probing_{false};
  std::atomic<bool> is_untold_{false};

  mutable std::mutex mutex_;  // guards what follows, and changes of state_
  Time since_{};
  std::string reason_;
};

}  // namespace sallyport::upstream
