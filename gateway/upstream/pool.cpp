#include "gateway/upstream/pool.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "gateway/upstream/source_address.h"
#include "gateway/upstream/waiter.h"

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;

namespace {

// The least time a server gets to answer a connect when the deadline is near.
constexpr Duration least_patience = std::chrono::seconds(1);
// So long a server may still count connections of the process before this one, after an upgrade or a restart.
constexpr Duration predecessors_time = std::chrono::seconds(3);

Retention retention_of(const config::UpstreamSettings& settings) {
  return {settings.connection_age, settings.connection_mails, settings.connection_idle};
}

// A connection from a client's address may fail because the server, or a filter before it, wants none of that client,
// or because answers to that client do not lead back to us. It would be easy to have a server taken for down otherwise.
bool may_be_the_clients_fault(const UpstreamError& error, const UpstreamGroup& group, const ClientInfo* client,
                              const UpstreamServer& server) {
  return (error.kind == Kind::down || error.kind == Kind::timed_out) &&
         source_address(group.settings.client_info, client, server.address()).has_value();
}
UpstreamError client_gone() { return {Kind::client_lost, "the client left while it waited for a place", false}; }

}  // namespace

UpstreamPool::UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, Counters& counters, Log& log,
                           UpstreamGroups current)
    : scheduler_(scheduler),
      began_(scheduler.now()),
      dialer_(dialer),
      counters_(counters),
      news_(log, counters),
      adopted_(scheduler),
      background_(scheduler) {
  adopt(std::move(current));
  adopted_.reset();  // probe_for_ever() probes these in its first round
}

UpstreamPool::~UpstreamPool() {
  neighbours_.reset();
  background_.cancel();
  counters_.add(Gauge::upstream_idle, -static_cast<std::int64_t>(idle_.size()));
  for (Idle& idle : idle_) {
    idle.server->idle(-1);
    drop_slot(*idle.server);
  }
}

void UpstreamPool::share_places_with(PoolNeighbours& neighbours, PoolNeighbours::Post post) {
  room_ = &neighbours.room();
  neighbours_.emplace(neighbours, std::move(post), [this] { look_around(); });
}

void UpstreamPool::adopt(UpstreamGroups current) {
  std::unordered_set<const UpstreamServer*> servers;
  for (const auto& [name, group] : current) {
    for (const auto& server : group->servers) servers.insert(server.get());
  }
  current_servers_ = std::move(servers);
  current_ = std::move(current);
  adopted_.notify();
  try {
    retire_old();
  } catch (const std::bad_alloc&) {
    // sweep() closes the rest later.
  }
}

UpstreamPool::Lease::~Lease() {
  if (!channel_) return;
  channel_->abort();
  channel_.reset();
  pool_->drop_slot(*server_);
}

void UpstreamPool::Lease::swap(Lease& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(server_, other.server_);
  std::swap(channel_, other.channel_);
  std::swap(retention_, other.retention_);
  std::swap(reused_, other.reused_);
  std::swap(clearing_, other.clearing_);
}

void UpstreamPool::drop_slot(UpstreamServer& server) {
  server.release_slot();
  counters_.add(Gauge::upstream_open, -1);
  if (server.waiting() > 0) room().offer(server, scheduler_.now(), this);
}

UpstreamPool::Lease UpstreamPool::lease_of(std::shared_ptr<UpstreamServer> server,
                                           std::unique_ptr<UpstreamChannel> channel, Retention retention, bool reused) {
  Lease lease;
  lease.pool_ = this;
  lease.server_ = std::move(server);
  lease.channel_ = std::move(channel);
  lease.retention_ = retention;
  lease.reused_ = reused;
  return lease;
}

UpstreamPool::Lease UpstreamPool::unshelve(std::size_t index) {
  Idle idle = std::move(idle_[index]);
  idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(index));
  counters_.add(Gauge::upstream_idle, -1);
  idle.server->idle(-1);
  idle.channel->start_anew();
  return lease_of(std::move(idle.server), std::move(idle.channel), {}, true);
}

UpstreamPool::Lease UpstreamPool::take_idle(const UpstreamGroup& group, UpstreamServer& server,
                                            std::string_view identity) {
  const Retention retention = retention_of(group.settings);
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].server.get() != &server) continue;
    if (!idle_[i].channel->can_speak_for(identity, group.settings.client_info)) continue;
    const bool is_due = scheduler_.now() >= idle_[i].until || idle_[i].channel->is_worn_out(retention);
    Lease lease = unshelve(i);
    lease.retention_ = retention;
    if (is_due) {
      part_with(std::move(lease));
      continue;
    }
    // U4: a connection on which the server has sent something unasked, or which it has closed, is not used; the lease
    // drops it.
    if (lease->is_usable()) return lease;
  }
  return {};
}

// Where no kept connection is wanted, as a fresh one is, or as they speak for other clients, one is closed to free its
// slot.
bool UpstreamPool::acquire_slot(const UpstreamGroup& group, UpstreamServer& server) {
  const auto acquire = [&] { return server.acquire_slot(group.settings.max_connections, scheduler_.now()); };
  if (acquire()) return true;
  const auto kept =
      std::find_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.server.get() == &server; });
  if (kept == idle_.end()) return false;
  unshelve(static_cast<std::size_t>(kept - idle_.begin()));
  return acquire();
}

// While the breaker is open, the error is the same as the one that opened it.
UpstreamError UpstreamPool::why_none_is_up(const UpstreamGroup& group) const {
  for (const auto& server : group.servers) {
    if (server->is_down(scheduler_.now()) && server->lacks_tls())
      return {Kind::tls, "no upstream server has the TLS that is required", false};
  }
  return {Kind::down, "no upstream server is up", false};
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::acquire(const UpstreamGroup& group,
                                                                       std::vector<FailedServer>& failed, Wish wish) {
  Waiter waiter(*this, group, failed, wish);
  while (true) {
    if (waiter.has_client_gone()) co_return client_gone();
    if (Lease given = waiter.take_lease(); given && given->is_usable()) {
      given.retention_ = retention_of(group.settings);
      counters_.add(Total::upstream_reused);
      co_return given;
    }
    std::optional<Slot> slot;
    if (UpstreamServer* granted = waiter.take_place()) slot.emplace(*this, *granted);

    auto servers = candidates(group, failed, wish.preferred, scheduler_.now());
    if (servers.empty()) {
      if (failed.empty()) co_return why_none_is_up(group);
      UpstreamError last = std::move(failed.back().error);
      failed.pop_back();
      co_return last;
    }
    // It may have gone down since.
    if (slot && std::find(servers.begin(), servers.end(), &slot->server()) == servers.end()) slot.reset();
    for (UpstreamServer* server : servers) {
      if (slot || waiter.is_waiting()) break;
      if (server->waiting() > 0) continue;  // those came first
      if (!wish.fresh) {
        Lease kept = take_idle(group, *server, waiter.identity_at(*server));
        if (kept) {
          counters_.add(Total::upstream_reused);
          co_return kept;
        }
      }
      if (acquire_slot(group, *server)) slot.emplace(*this, *server);
    }
    if (!slot) {
      if (forgive(failed, scheduler_.now())) continue;
      if (scheduler_.is_over(wish.deadline))
        co_return UpstreamError{Kind::timed_out, "all connections are busy", false};
      co_await waiter.wait(std::move(servers));
      continue;
    }
    // U16: the time until the deadline is divided among the servers, so that one that never answers leaves time for the
    // next.
    const Duration left = (wish.deadline - scheduler_.now()) / static_cast<Duration::rep>(servers.size());
    const UpstreamTimeouts timeouts{std::max(left, least_patience), group.timeouts.reply};
    UpstreamServer& server = slot->server();
    auto opened = co_await open(group, *std::move(slot), timeouts, wish.spoken_for);
    if (opened && waiter.has_client_gone()) {
      give_back(std::move(*opened), false);
      co_return client_gone();
    }
    if (opened || opened.error().kind == Kind::unwelcome) co_return opened;
    if (opened.error().kind == Kind::resource) {
      // Not this server's fault, and perhaps no matter for the next: ports are short for one address, and another may
      // have a connection that is kept.
      failed.push_back({&server, std::move(opened).error()});
      continue;
    }
    if (may_be_the_clients_fault(opened.error(), group, wish.spoken_for, server)) ask_in_our_name(server);
    if (opened.error().kind != Kind::full) {
      failed.push_back({&server, std::move(opened).error(), false, true});
    } else if (scheduler_.is_over(wish.deadline)) {
      UpstreamError error = std::move(opened).error();
      error.kind = Kind::timed_out;
      co_return error;
    }
  }
}

Task<std::optional<UpstreamPool::Lease>> UpstreamPool::acquire_beside(const UpstreamGroup& group,
                                                                      UpstreamServer& server, Duration patience,
                                                                      const ClientInfo* spoken_for) {
  if (server.is_down(scheduler_.now()) || server.waiting() > 0) co_return std::nullopt;
  if (!server.acquire_slot(group.settings.max_connections, scheduler_.now())) co_return std::nullopt;
  Slot slot(*this, server);
  const Duration most = std::min(patience, group.timeouts.connect);
  const UpstreamTimeouts timeouts{most, std::min(patience, group.timeouts.reply), scheduler_.now() + most};
  auto opened = co_await open(group, std::move(slot), timeouts, spoken_for);
  if (!opened) co_return std::nullopt;
  co_return std::move(*opened);
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::open(const UpstreamGroup& group, Slot slot,
                                                                    UpstreamTimeouts timeouts,
                                                                    const ClientInfo* spoken_for) {
  UpstreamServer& server = slot.server();
  counters_.add(Total::upstream_connections);
  const Time began = scheduler_.now();

  const bool is_opportunistic = group.settings.tls.mode == tls::UpstreamTls::opportunistic;
  const tls::ClientContext* tls =
      is_opportunistic && server.is_tls_hopeless(scheduler_.now()) ? nullptr : group.tls.get();
  auto channel = co_await UpstreamChannel::open(scheduler_, dialer_, tls, group.settings, server.address(),
                                                group.ehlo_name, timeouts, spoken_for);
  // U20: when opportunistic TLS fails, in whatever way, connect again and send in the clear.
  if (!channel && channel.error().kind == Kind::tls && is_opportunistic) {
    news_.tls_failed(server, channel.error(), scheduler_.now());
    if (timeouts.open_by != async::no_deadline) timeouts.open_by = scheduler_.now() + timeouts.connect;
    channel = co_await UpstreamChannel::open(scheduler_, dialer_, nullptr, group.settings, server.address(),
                                             group.ehlo_name, timeouts, spoken_for);
  }
  group.figures->connect.add(scheduler_.now() - began);
  // The server is there; it only does not want this client.
  if (!channel && channel.error().kind == Kind::unwelcome) co_return std::move(channel).error();
  if (!channel) {
    UpstreamError error = std::move(channel).error();
    // U7: a server that turns a connection away while we hold others is full, not down; it may do so by 421, by any
    // other refusal, or by closing what it has accepted. Those being opened count: the last of them that is turned away
    // finds out that there is none.
    const bool is_turned_away = error.kind == Kind::full || (error.kind == Kind::down && error.was_connected);
    const bool follows_another = error.kind == Kind::full && scheduler_.now() - began_ < predecessors_time;
    if (is_turned_away && (server.connections() > 1 || follows_another)) {
      error.kind = Kind::full;
      news_.is_full(server, error, scheduler_.now());
      co_return error;
    }
    if (error.kind == Kind::full) error.kind = Kind::down;
    if (may_be_the_clients_fault(error, group, spoken_for, server)) co_return error;
    // It has had less time than for a mail: others are preferred to it, and it is not down.
    const bool is_hasty = timeouts.reply < group.timeouts.reply || timeouts.open_by != async::no_deadline;
    if (error.kind == Kind::timed_out && error.was_connected && is_hasty) {
      server.refused_for_now(scheduler_.now());
      co_return error;
    }
    if (error.kind != Kind::resource) news_.failed_to_connect(server, error, scheduler_.now());
    co_return error;
  }
  news_.connected(server, scheduler_.now());
  server.learned((*channel)->extensions());
  slot.hand_over();
  co_return lease_of(server.shared_from_this(), std::move(*channel), retention_of(group.settings), false);
}

void UpstreamPool::give_back(Lease lease, bool needs_reset) noexcept {
  try {
    if (!lease || !lease->is_usable() || lease->owed() > 0) return;
    if (needs_reset) {
      background_.spawn(reset_and_keep(std::move(lease)));
    } else {
      keep(std::move(lease));
    }
  } catch (const std::exception&) {
    // The lease's destructor has closed the connection.
  }
}

void UpstreamPool::part_with(Lease lease) noexcept {
  try {
    if (!lease) return;
    if (!lease.clearing_) lease.clearing_ = room().clear(lease.server(), scheduler_.now());
    background_.spawn(retire(std::move(lease)));
  } catch (const std::exception&) {
    // The lease's destructor has closed the connection.
  }
}

void UpstreamPool::note_silent(SilentTransaction& transaction) {
  transaction.silent_since = scheduler_.now();
  silent_.push_back(transaction);
}

}  // namespace sallyport::upstream
