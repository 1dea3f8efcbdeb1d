// Worker: one thread, one loop, and every session that the kernel gives to its sockets.
//
// A loop owns its sessions from accept to close; with the other workers it shares only CommonParts and what is
// immutable of a snapshot. The Lua state and the upstream connections are its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/app/session_reports.h"
#include "gateway/app/watched_clock.h"
#include "gateway/app/web_trust.h"
#include "gateway/async/intrusive_list.h"
#include "gateway/async/lock.h"
#include "gateway/async/nursery.h"
#include "gateway/fetch/http_client.h"
#include "gateway/record/counters.h"
#include "gateway/record/dmarc_rows.h"
#include "gateway/record/log_line.h"
#include "gateway/resolver/resolver.h"
#include "gateway/session/served.h"
#include "gateway/session/session.h"
#include "gateway/upstream/pool.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"
#include "policies/milters/pool.h"

namespace sallyport::app {

// A socket for one of the snapshot's listeners.
struct NewSocket {
  Endpoint address;  // as the configuration has it; the socket may have got another port than its 0
  uv::BoundSocket socket;
};

class Worker {
 public:
  // What it serves by, and for which of the snapshot's listeners it has no socket yet.
  struct Orders {
    std::shared_ptr<const session::WorkerSnapshot> snapshot;
    std::vector<NewSocket> sockets;
  };

  // How many workers could not carry out the orders that they have been given together.
  using Failures = std::atomic<std::size_t>;

  // One of the workers probes the upstreams, for all.
  enum class Probing : std::uint8_t { no, yes };

  // The orders have a socket for each listener.
  Worker(CommonParts& common, Orders orders, Probing probing);
  // On any thread, when run() has returned.
  ~Worker();

  // Before run(), where there are several workers: a DNS question that another one has under way is not asked again.
  void ask_dns_with_others();
  // The same: its upstream connections make room for the mail of the others.
  void share_upstream_places();
  // What this worker asks web servers with, for rules.
  io::HttpClient& http() { return http_; }
  // Its connections to milters.
  policies::MilterPool& milters() { return milters_; }
  // On the worker's thread, once, before run(): starts what goes on beside the sessions. Throws std::bad_alloc.
  void begin();
  // Serves until it has drained.
  void run() noexcept;
  // From any thread: sessions and mails that begin from now on are served by these orders. Listeners that the snapshot
  // does not name any more are retired without cutting anybody off. `failures` is let go of, on this worker's thread,
  // when all that is done, or when the worker has ended. A failure (no memory) leaves all as it is; it is counted there
  // and in the figures, and logged.
  void take(Orders orders, std::shared_ptr<Failures> failures);
  // From any thread: the same for a snapshot that differs from the one in force only in its upstreams' servers; the
  // worker's plans stay.
  void take_upstreams(std::shared_ptr<const session::Snapshot> next, std::shared_ptr<Failures> failures);
  // From any thread: another process accepts at the same sockets from now on, except at the addresses in `gone`, where
  // those who have connected are accepted still. Sessions go on as ever; after timeouts.drain it drains. run() ends
  // with the last of them.
  void hand_over(std::vector<std::string> gone);
  // From any thread: accept no more, let what is under way finish for as long as timeouts.drain, then break off what is
  // left: the mail has its record, the client hears 421 (threats.md R12). After that run() ends.
  void drain();
  // From any thread, after drain(): the waiting is over now.
  void break_off();
  // From any thread, after drain(): run() ends without waiting for anything. Each mail has its record, at the latest
  // when the worker is destroyed; clients hear what can be sent at once.
  void end_now();
  // From any thread: adds to `seen` the first `most` of this worker's sessions, a few in each turn of its loop. Then
  // `seen` is let go of; without a part of this worker where it has ended or had no memory for it.
  void tell_sessions(control::SessionOrder order, std::size_t most, std::shared_ptr<SeenSessions> seen);

 private:
  // How much of the waiting at the end is left out.
  enum class Hurry : std::uint8_t { none, break_off, end_now };
  struct Entry;  // a session, in the list of those that drain() has to reach
  // An address that is listened on.
  struct OpenListener;

  std::unique_ptr<OpenListener> open_listener(NewSocket socket);
  void accept(const OpenListener& served, std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local);
  Task<void> serve_client(std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local,
                          std::shared_ptr<const session::WorkerSnapshot> snapshot, const session::Listener& listener);
  Task<void> serve_mta(std::unique_ptr<io::Stream> stream, SocketAddress peer,
                       std::shared_ptr<const session::WorkerSnapshot> snapshot, const session::Listener& listener);
  // To its end, or until it is interrupted.
  Task<void> see_through(session::Served& session);
  void post_orders(std::function<Orders()> orders, std::shared_ptr<Failures> failures);
  void carry_out(Orders orders, const std::shared_ptr<void>& held);
  // Accepts those who have connected, and no others. `held` is let go of at the end.
  void close_listener(std::unique_ptr<OpenListener> served, uv::Listener::Patience patience,
                      std::shared_ptr<void> held) noexcept;
  Task<void> retire(std::unique_ptr<OpenListener> served, uv::Listener::Patience patience, std::shared_ptr<void> held);
  Task<void> dispose_of_old();
  Task<void> test_policies();
  // Looks how scarce memory and places are, for all workers.
  Task<void> watch_pressure();
  // Under pressure: ends sessions whose client has not said anything for too long.
  Task<void> free_idle_places();
  // Frees again and again a part of what is kept for reuse, so that a busy moment does not hold memory for ever.
  Task<void> keep_less();
  void begin_handing_over(const std::vector<std::string>& gone);
  Task<void> see_sessions_off();
  void begin_draining();
  Task<void> wind_down();
  enum class Which { all, those_that_hold_up, those_that_give_way };
  void interrupt_sessions(Which which);
  bool is_waiting_for_sessions(Time end, Hurry enough);
  void count_cut_mails();
  Task<void> look_at_sessions(control::SessionOrder order, std::size_t most, std::shared_ptr<SeenSessions> seen);
  const config::Settings& settings() const { return *host_.snapshot->shared->settings; }

  CommonParts& common_;
  uv::Loop loop_;
  uv::Dialer dialer_;
  WebTrust web_trust_;
  fetch::HttpClient http_;  // for rules
  policies::MilterPool milters_;
  uv::DatagramDialer datagrams_;
  WatchedClock clock_;
  resolver::Resolver resolver_;
  upstream::UpstreamPool pool_;
  record::LogLine log_lines_;
  record::RecordCounters record_counters_;
  std::optional<record::DmarcRows> dmarc_rows_;  // where reports are collected
  session::Host host_;
  const bool probes_;
  const std::size_t number_;  // among the loops that are watched
  bool draining_ = false;
  Hurry hurry_ = Hurry::none;
  std::size_t retiring_ = 0;  // listeners that still accept those who have connected
  bool disposing_ = false;
  async::Signal reloaded_;  // wakes test_policies()
  async::Signal ending_;    // wakes wind_down()
  // Snapshots before the one in force, until the last session has let go of them.
  std::vector<std::shared_ptr<const session::WorkerSnapshot>> old_snapshots_;
  async::ListHead sessions_;
  async::Lock one_walk_at_a_time_;  // through the sessions
  std::uint64_t walks_ = 0;
  std::vector<std::unique_ptr<OpenListener>> listeners_;
  async::Nursery nursery_;       // sessions; ends before all they use
  async::Nursery housekeeping_;  // probes, self tests, retiring listeners, and the end itself
};

}  // namespace sallyport::app
