#include "gateway/session/upstream_pool.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace sallyport::session {

namespace {

constexpr Duration keep_idle_for = std::chrono::seconds(30);  // Exchange's Edge role closes after a minute
constexpr Duration sweep_interval = std::chrono::seconds(1);
// Places given back by other workers are noticed at this pace; our own wake the first in the queue at once.
constexpr Duration look_again = std::chrono::milliseconds(50);
// What a server gets to answer a connect when the time is nearly over.
constexpr Duration least_patience = std::chrono::seconds(1);

}  // namespace

// One acquire() that may have to wait for a place. Within a group they are served in the order of arrival: the first
// looks for a place, the others wait to be first. It leaves the queue, and whatever it has marked, with its scope.
class UpstreamPool::Waiter : public async::ListNode {
 public:
  Waiter(UpstreamPool& pool, const UpstreamGroup& group) : pool_(pool), group_(group), signal_(pool.scheduler_) {}
  ~Waiter() { leave(); }

  // It is this one's turn: it was here first, and no other worker waits for what has just come free.
  bool may_take(const std::vector<UpstreamServer*>& servers) const {
    auto queue = pool_.waiting_.find(&group_);
    if (queue != pool_.waiting_.end()) return queue->second.front() == this;
    return std::none_of(servers.begin(), servers.end(), [](const auto* server) { return server->starving() > 0; });
  }

  Task<void> wait(std::vector<UpstreamServer*> servers, Time deadline) {
    async::ListHead& queue = pool_.waiting_[&group_];
    if (!is_linked()) queue.push_back(*this);
    bool is_first = queue.front() == this;
    if (is_first) starve_for(std::move(servers));
    co_await signal_.wait(is_first ? std::min(deadline, pool_.scheduler_.now() + look_again) : deadline);
  }

  void leave() {
    starve_for({});
    if (!is_linked()) return;
    unlink();
    auto queue = pool_.waiting_.find(&group_);
    if (queue->second.empty()) {
      pool_.waiting_.erase(queue);
    } else {
      static_cast<Waiter&>(*queue->second.front()).notify();
    }
  }

  void notify() { signal_.notify(); }
  bool waits_for(const UpstreamServer& server) const {
    return std::find(starving_for_.begin(), starving_for_.end(), &server) != starving_for_.end();
  }

 private:
  void starve_for(std::vector<UpstreamServer*> servers) {
    for (UpstreamServer* server : servers) server->starving(1);
    for (UpstreamServer* server : starving_for_) server->starving(-1);
    starving_for_ = std::move(servers);
  }

  UpstreamPool& pool_;
  const UpstreamGroup& group_;
  async::Signal signal_;
  std::vector<UpstreamServer*> starving_for_;
};

// One of a server's places, taken for a connection that may come of it; else it goes back.
class UpstreamPool::Place {
 public:
  Place(UpstreamPool& pool, UpstreamServer& server) noexcept : pool_(&pool), server_(server) {
    pool.counters_.add(Gauge::upstream_open, 1);
  }
  Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), server_(other.server_) {}
  ~Place() {
    if (!pool_) return;
    pool_->drop_place(server_);
    pool_->wake_waiters();
  }

  UpstreamServer& server() const { return server_; }
  // The connection's lease gives it back.
  void hand_over() { pool_ = nullptr; }

 private:
  UpstreamPool* pool_;
  UpstreamServer& server_;
};

UpstreamPool::UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, UpstreamBoard& board, Counters& counters,
                           std::map<std::string, std::shared_ptr<const tls::ClientContext>> tls, std::string ehlo_name,
                           UpstreamTimeouts timeouts)
    : scheduler_(scheduler),
      dialer_(dialer),
      board_(board),
      counters_(counters),
      tls_(std::move(tls)),
      ehlo_name_(std::move(ehlo_name)),
      timeouts_(timeouts),
      errands_(scheduler) {}

UpstreamPool::~UpstreamPool() {
  errands_.cancel();
  counters_.add(Gauge::upstream_idle, -static_cast<std::int64_t>(idle_.size()));
  for (Idle& idle : idle_) drop_place(*idle.server);
}

UpstreamPool::Lease::~Lease() {
  if (!channel_) return;
  channel_->abort();
  channel_.reset();
  pool_->drop_place(*server_);
  if (!for_others_) pool_->wake_waiters();
}

void UpstreamPool::Lease::swap(Lease& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(server_, other.server_);
  std::swap(channel_, other.channel_);
  std::swap(reused_, other.reused_);
  std::swap(for_others_, other.for_others_);
}

void UpstreamPool::drop_place(UpstreamServer& server) {
  server.give_place();
  counters_.add(Gauge::upstream_open, -1);
}

void UpstreamPool::wake_waiters() {
  for (auto& [group, queue] : waiting_) static_cast<Waiter&>(*queue.front()).notify();
}

bool UpstreamPool::waits_for(const UpstreamServer& server) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& queue) {
    return static_cast<const Waiter&>(*queue.second.front()).waits_for(server);
  });
}

// Whether a connection that is given back goes to another worker: always when only others wait, every other time when
// our own wait too.
bool UpstreamPool::is_due_to_others(const UpstreamServer& server) {
  bool we_wait = waits_for(server);
  bool others_wait = server.starving() > (we_wait ? 1 : 0);
  if (!others_wait) return false;
  gave_away_last_ = !we_wait || !gave_away_last_;
  return gave_away_last_;
}

UpstreamPool::Lease UpstreamPool::lease_of(UpstreamServer& server, std::unique_ptr<UpstreamChannel> channel,
                                           bool reused) {
  Lease lease;
  lease.pool_ = this;
  lease.server_ = &server;
  lease.channel_ = std::move(channel);
  lease.reused_ = reused;
  return lease;
}

UpstreamPool::Lease UpstreamPool::unshelve(std::size_t index) {
  Idle idle = std::move(idle_[index]);
  idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(index));
  counters_.add(Gauge::upstream_idle, -1);
  idle.channel->start_anew();
  return lease_of(*idle.server, std::move(idle.channel), true);
}

std::vector<UpstreamServer*> UpstreamPool::candidates(UpstreamGroup& group,
                                                      const std::vector<FailedServer>& failed) const {
  std::vector<UpstreamServer*> servers;
  for (const auto& server : group.servers) {
    if (server->is_down(scheduler_.now())) continue;
    bool has_failed = std::any_of(failed.begin(), failed.end(),
                                  [&](const FailedServer& other) { return other.server == server.get(); });
    if (!has_failed) servers.push_back(server.get());
  }
  if (group.settings.balance == config::Balance::least_sessions) {
    std::stable_sort(servers.begin(), servers.end(),
                     [](const auto* a, const auto* b) { return a->connections() < b->connections(); });
  }
  return servers;
}

UpstreamPool::Lease UpstreamPool::take_idle(UpstreamServer& server) {
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].server != &server) continue;
    Lease lease = unshelve(i);
    // U4: one that has spoken unasked, or gone, is not used again; the lease drops it.
    if (lease->is_usable()) return lease;
  }
  return {};
}

// The answer while the breaker is open is the same as when it opened.
UpstreamError UpstreamPool::why_none_is_up(const UpstreamGroup& group) const {
  for (const auto& server : group.servers) {
    if (server->is_down(scheduler_.now()) && server->lacks_tls())
      return {UpstreamError::Kind::tls, "no upstream server has the TLS that is required", false};
  }
  return {UpstreamError::Kind::down, "no upstream server is up", false};
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::acquire(UpstreamGroup& group,
                                                                       std::vector<FailedServer>& failed, bool fresh,
                                                                       Time deadline) {
  Waiter waiter(*this, group);
  while (true) {
    auto servers = candidates(group, failed);
    if (servers.empty()) {
      if (failed.empty()) co_return why_none_is_up(group);
      UpstreamError last = std::move(failed.back().error);
      failed.pop_back();
      co_return last;
    }
    UpstreamServer* free_server = nullptr;
    if (waiter.may_take(servers)) {
      for (UpstreamServer* server : servers) {
        Lease kept = take_idle(*server);
        if (kept && !fresh) {
          counters_.add(Total::upstream_reused);
          co_return kept;
        }
        kept = {};  // a fresh one was asked for: the kept one makes room for it
        if (server->take_place(group.settings.max_connections)) {
          free_server = server;
          break;
        }
      }
    }
    if (!free_server) {
      if (scheduler_.now() >= deadline)
        co_return UpstreamError{UpstreamError::Kind::timed_out, "all connections are busy", false};
      co_await waiter.wait(std::move(servers), deadline);
      continue;
    }
    waiter.leave();
    // U16: one deadline for all servers, so that the one that never answers leaves time for the next.
    Duration left = (deadline - scheduler_.now()) / static_cast<Duration::rep>(servers.size());
    Place place(*this, *free_server);
    auto opened = co_await open(group, std::move(place), std::max(left, least_patience));
    if (opened) co_return opened;
    failed.push_back({free_server, std::move(opened).error()});
  }
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::open(UpstreamGroup& group, Place place,
                                                                    Duration connect_patience) {
  UpstreamServer& server = place.server();
  counters_.add(Total::upstream_connections);

  auto context = tls_.find(group.settings.name);
  const tls::ClientContext* tls = context == tls_.end() ? nullptr : context->second.get();
  UpstreamTimeouts timeouts{connect_patience, timeouts_.reply};
  auto channel =
      co_await UpstreamChannel::open(scheduler_, dialer_, tls, group.settings, server.address(), ehlo_name_, timeouts);
  // Opportunistic means: rather in the clear than not at all.
  if (!channel && channel.error().kind == UpstreamError::Kind::tls &&
      group.settings.tls.mode == tls::UpstreamTls::opportunistic) {
    channel = co_await UpstreamChannel::open(scheduler_, dialer_, nullptr, group.settings, server.address(), ehlo_name_,
                                             timeouts);
  }
  if (!channel) {
    server.failed(scheduler_.now(), channel.error().kind == UpstreamError::Kind::tls);
    co_return std::move(channel).error();
  }
  server.succeeded(scheduler_.now());
  server.learned((*channel)->extensions());
  place.hand_over();
  co_return lease_of(server, std::move(*channel), false);
}

void UpstreamPool::give_back(Lease lease, bool needs_reset) noexcept {
  try {
    if (!lease || !lease->is_usable() || lease->owed() > 0) return;
    lease.server_->succeeded(scheduler_.now());
    if (needs_reset) {
      errands_.spawn(reset_and_keep(std::move(lease)));
    } else {
      keep(std::move(lease));
    }
  } catch (const std::exception&) {
    // The lease has dropped the connection.
  }
}

void UpstreamPool::keep(Lease lease) {
  if (is_due_to_others(*lease.server_)) {
    lease.for_others_ = true;
    errands_.spawn(retire(std::move(lease)));
    return;
  }
  // The room first: the lease is answerable for its connection until it stands there.
  Idle& idle = idle_.emplace_back(Idle{lease.server_, nullptr, scheduler_.now()});
  idle.channel = std::move(lease.channel_);
  counters_.add(Gauge::upstream_idle, 1);
  wake_waiters();
  if (!sweeping_) errands_.spawn(sweep());
}

Task<void> UpstreamPool::reset_and_keep(Lease lease) {
  auto reply = co_await lease->ask("RSET\r\n", scheduler_.now() + timeouts_.reply);
  if (reply && reply->is_positive()) keep(std::move(lease));
}

Task<void> UpstreamPool::retire(Lease lease) { co_await lease->say_goodbye(); }

Task<void> UpstreamPool::sweep() {
  sweeping_ = true;
  while (!idle_.empty()) {
    co_await async::sleep_for(scheduler_, sweep_interval);
    try {
      retire_old();
    } catch (const std::bad_alloc&) {
      // The next round has the rest.
    }
  }
  sweeping_ = false;
}

void UpstreamPool::retire_old() {
  Time oldest = scheduler_.now() - keep_idle_for;
  for (std::size_t i = 0; i < idle_.size();) {
    const Idle& idle = idle_[i];
    if (idle.since > oldest && idle.channel->is_usable() && idle.server->starving() == 0) {
      ++i;
    } else {
      errands_.spawn(retire(unshelve(i)));
    }
  }
}

Task<void> UpstreamPool::close_idle() {
  async::Nursery farewells(scheduler_);
  while (!idle_.empty()) farewells.spawn(retire(unshelve(idle_.size() - 1)));
  co_await farewells.join();
}

Task<void> UpstreamPool::probe(UpstreamGroup& group, UpstreamServer& server) {
  if (!server.take_place(group.settings.max_connections)) co_return;  // in use to the brim: certainly there
  Place place(*this, server);
  auto lease = co_await open(group, std::move(place), timeouts_.connect);
  if (lease) keep(std::move(*lease));
}

Task<void> UpstreamPool::probe_for_ever() {
  while (true) {
    Duration next = std::chrono::hours(1);
    for (auto& [name, group] : board_.groups()) {
      next = std::min(next, group.settings.health_interval);
      for (auto& server : group.servers) {
        bool heard_lately = scheduler_.now() - server->last_success() < group.settings.health_interval;
        if (server->abilities() && heard_lately) continue;
        if (server->is_down(scheduler_.now())) continue;
        try {
          errands_.spawn(probe(group, *server));
        } catch (const std::bad_alloc&) {
          // Asked again in the next round.
        }
      }
    }
    co_await async::sleep_for(scheduler_, next);
  }
}

}  // namespace sallyport::session
