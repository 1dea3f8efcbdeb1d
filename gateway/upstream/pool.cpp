#include "gateway/upstream/pool.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace sallyport::upstream {

namespace {

constexpr Duration keep_idle_for = std::chrono::seconds(30);  // Exchange's Edge role closes after a minute
constexpr Duration sweep_interval = std::chrono::seconds(1);
// How often the first waiter looks for slots that other workers have released. A slot released by this worker wakes the
// first waiter of each group at once.
constexpr Duration look_again = std::chrono::milliseconds(50);
// The least time a server gets to answer a connect when the deadline is near.
constexpr Duration least_patience = std::chrono::seconds(1);

}  // namespace

// One acquire() that may have to wait for a slot. Within a group, waiters are served in the order of their arrival: the
// first looks for a slot, the others wait until they are first. The destructor removes the waiter from the queue, and
// its `starving` marks from the servers.
class UpstreamPool::Waiter : public async::ListNode {
 public:
  Waiter(UpstreamPool& pool, const UpstreamGroup& group) : pool_(pool), group_(group), signal_(pool.scheduler_) {}
  ~Waiter() { leave(); }

  // True if it may look for a slot: it is the first in its queue, or there is no queue and no other worker or group
  // waits for one of these servers.
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

// One slot of a server, acquired for a connection that is being opened. It is released again unless hand_over() is
// called.
class UpstreamPool::Slot {
 public:
  Slot(UpstreamPool& pool, UpstreamServer& server) noexcept : pool_(&pool), server_(server) {
    pool.counters_.add(Gauge::upstream_open, 1);
  }
  Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), server_(other.server_) {}
  ~Slot() {
    if (!pool_) return;
    pool_->drop_slot(server_);
    pool_->wake_waiters();
  }

  UpstreamServer& server() const { return server_; }
  // From here on the connection's lease releases the slot.
  void hand_over() { pool_ = nullptr; }

 private:
  UpstreamPool* pool_;
  UpstreamServer& server_;
};

UpstreamPool::UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, Counters& counters, UpstreamGroups current)
    : scheduler_(scheduler), dialer_(dialer), counters_(counters), adopted_(scheduler), background_(scheduler) {
  adopt(std::move(current));
  adopted_.reset();  // probe_for_ever() probes these in its first round
}

UpstreamPool::~UpstreamPool() {
  background_.cancel();
  counters_.add(Gauge::upstream_idle, -static_cast<std::int64_t>(idle_.size()));
  for (Idle& idle : idle_) drop_slot(*idle.server);
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
  if (!for_others_) pool_->wake_waiters();
}

void UpstreamPool::Lease::swap(Lease& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(server_, other.server_);
  std::swap(channel_, other.channel_);
  std::swap(reused_, other.reused_);
  std::swap(for_others_, other.for_others_);
}

void UpstreamPool::drop_slot(UpstreamServer& server) {
  server.release_slot();
  counters_.add(Gauge::upstream_open, -1);
}

void UpstreamPool::wake_waiters() {
  for (auto& [group, queue] : waiting_) static_cast<Waiter&>(*queue.front()).notify();
}

int UpstreamPool::waiting_for(const UpstreamServer& server) const {
  const auto waiting = std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& queue) {
    return static_cast<const Waiter&>(*queue.second.front()).waits_for(server);
  });
  return static_cast<int>(waiting);
}

// True if a connection that is given back must be left to another worker: always when only others wait, every second
// time when our own coroutines wait too.
bool UpstreamPool::is_due_to_others(const UpstreamServer& server) {
  const int ours = waiting_for(server);
  if (server.starving() <= ours) return false;
  gave_away_last_ = ours == 0 || !gave_away_last_;
  return gave_away_last_;
}

UpstreamPool::Lease UpstreamPool::lease_of(std::shared_ptr<UpstreamServer> server,
                                           std::unique_ptr<UpstreamChannel> channel, bool reused) {
  Lease lease;
  lease.pool_ = this;
  lease.server_ = std::move(server);
  lease.channel_ = std::move(channel);
  lease.reused_ = reused;
  return lease;
}

UpstreamPool::Lease UpstreamPool::unshelve(std::size_t index) {
  Idle idle = std::move(idle_[index]);
  idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(index));
  counters_.add(Gauge::upstream_idle, -1);
  idle.channel->start_anew();
  return lease_of(std::move(idle.server), std::move(idle.channel), true);
}

std::vector<UpstreamServer*> UpstreamPool::candidates(const UpstreamGroup& group,
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
    if (idle_[i].server.get() != &server) continue;
    Lease lease = unshelve(i);
    // U4: a connection on which the server has sent something unasked, or which it has closed, is not used; the lease
    // drops it.
    if (lease->is_usable()) return lease;
  }
  return {};
}

// While the breaker is open, the error is the same as the one that opened it.
UpstreamError UpstreamPool::why_none_is_up(const UpstreamGroup& group) const {
  for (const auto& server : group.servers) {
    if (server->is_down(scheduler_.now()) && server->lacks_tls())
      return {UpstreamError::Kind::tls, "no upstream server has the TLS that is required", false};
  }
  return {UpstreamError::Kind::down, "no upstream server is up", false};
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::acquire(const UpstreamGroup& group,
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
        kept = {};  // a fresh connection is wanted: the kept one is closed to free its slot
        if (server->acquire_slot(group.settings.max_connections)) {
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
    // U16: the time until the deadline is divided among the servers, so that one that never answers leaves time for the
    // next.
    Duration left = (deadline - scheduler_.now()) / static_cast<Duration::rep>(servers.size());
    Slot slot(*this, *free_server);
    auto opened = co_await open(group, std::move(slot), std::max(left, least_patience));
    if (opened) co_return opened;
    failed.push_back({free_server, std::move(opened).error()});
  }
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::open(const UpstreamGroup& group, Slot slot,
                                                                    Duration connect_patience) {
  UpstreamServer& server = slot.server();
  counters_.add(Total::upstream_connections);

  UpstreamTimeouts timeouts{connect_patience, group.timeouts.reply};
  auto channel = co_await UpstreamChannel::open(scheduler_, dialer_, group.tls.get(), group.settings, server.address(),
                                                group.ehlo_name, timeouts);
  // Opportunistic TLS: when TLS fails, connect again and send in the clear.
  if (!channel && channel.error().kind == UpstreamError::Kind::tls &&
      group.settings.tls.mode == tls::UpstreamTls::opportunistic) {
    channel = co_await UpstreamChannel::open(scheduler_, dialer_, nullptr, group.settings, server.address(),
                                             group.ehlo_name, timeouts);
  }
  if (!channel) {
    server.failed(scheduler_.now(), channel.error().kind == UpstreamError::Kind::tls);
    co_return std::move(channel).error();
  }
  server.succeeded(scheduler_.now());
  server.learned((*channel)->extensions());
  slot.hand_over();
  co_return lease_of(server.shared_from_this(), std::move(*channel), false);
}

void UpstreamPool::give_back(Lease lease, bool needs_reset) noexcept {
  try {
    if (!lease || !lease->is_usable() || lease->owed() > 0) return;
    lease.server_->succeeded(scheduler_.now());
    if (needs_reset) {
      background_.spawn(reset_and_keep(std::move(lease)));
    } else {
      keep(std::move(lease));
    }
  } catch (const std::exception&) {
    // The lease's destructor has closed the connection.
  }
}

void UpstreamPool::keep(Lease lease) {
  if (is_due_to_others(*lease.server_)) {
    lease.for_others_ = true;
    background_.spawn(retire(std::move(lease)));
    return;
  }
  // The server is no longer in the configuration: its connection is kept only while a session waits for it.
  if (!is_current(*lease.server_) && waiting_for(*lease.server_) == 0) {
    background_.spawn(retire(std::move(lease)));
    return;
  }
  // The entry is added first: if that throws, the lease still owns the connection and closes it.
  Idle& idle = idle_.emplace_back(Idle{nullptr, nullptr, scheduler_.now()});
  idle.server = std::move(lease.server_);
  idle.channel = std::move(lease.channel_);
  counters_.add(Gauge::upstream_idle, 1);
  wake_waiters();
  if (!sweeping_) background_.spawn(sweep());
}

Task<void> UpstreamPool::reset_and_keep(Lease lease) {
  auto reply = co_await lease->ask("RSET\r\n", scheduler_.now() + lease->timeouts().reply);
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
      // The next round closes the rest.
    }
  }
  sweeping_ = false;
}

void UpstreamPool::retire_old() {
  Time oldest = scheduler_.now() - keep_idle_for;
  for (std::size_t i = 0; i < idle_.size();) {
    const Idle& idle = idle_[i];
    const bool is_wanted = is_current(*idle.server) || waiting_for(*idle.server) > 0;
    if (is_wanted && idle.since > oldest && idle.channel->is_usable() && idle.server->starving() == 0) {
      ++i;
    } else {
      background_.spawn(retire(unshelve(i)));
    }
  }
}

Task<void> UpstreamPool::close_idle() {
  async::Nursery farewells(scheduler_);
  while (!idle_.empty()) farewells.spawn(retire(unshelve(idle_.size() - 1)));
  co_await farewells.join();
}

Task<void> UpstreamPool::probe(std::shared_ptr<const UpstreamGroup> group, std::shared_ptr<UpstreamServer> server) {
  if (!server->acquire_slot(group->settings.max_connections)) co_return;  // all its connections are in use, so it is up
  Slot slot(*this, *server);
  auto lease = co_await open(*group, std::move(slot), group->timeouts.connect);
  if (lease) keep(std::move(*lease));
}

Duration UpstreamPool::start_probes() {
  Duration next = std::chrono::hours(1);
  for (const auto& [name, group] : current_) {
    next = std::min(next, group->settings.health_interval);
    for (const auto& server : group->servers) {
      bool heard_lately = scheduler_.now() - server->last_success() < group->settings.health_interval;
      if (server->extensions() && heard_lately) continue;
      if (server->is_down(scheduler_.now())) continue;
      try {
        background_.spawn(probe(group, server));
      } catch (const std::bad_alloc&) {
        // The next round asks again.
      }
    }
  }
  return next;
}

Task<void> UpstreamPool::probe_for_ever() {
  while (true) {
    Duration next = start_probes();
    co_await adopted_.wait(scheduler_.now() + next);
  }
}

}  // namespace sallyport::upstream
