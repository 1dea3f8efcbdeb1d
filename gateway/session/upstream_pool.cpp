#include "gateway/session/upstream_pool.h"

#include <algorithm>

namespace sallyport::session {

namespace {

constexpr Duration keep_idle_for = std::chrono::seconds(30);  // Exchange's Edge role closes after a minute
constexpr Duration sweep_interval = std::chrono::seconds(1);
// Places given back by other workers are noticed at this pace; our own wake the first in the queue at once.
constexpr Duration look_again = std::chrono::milliseconds(50);

}  // namespace

// One acquire() that waits for a place, in the order of arrival.
struct UpstreamPool::Waiter : async::ListNode {
  Waiter(async::Scheduler& scheduler, const std::vector<UpstreamServer*>& wanted) : signal(scheduler), servers(wanted) {
    for (UpstreamServer* server : servers) server->starving(1);
  }
  ~Waiter() {
    for (UpstreamServer* server : servers) server->starving(-1);
  }

  async::Signal signal;
  const std::vector<UpstreamServer*>& servers;
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
}

void UpstreamPool::Lease::swap(Lease& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(server_, other.server_);
  std::swap(channel_, other.channel_);
  std::swap(reused_, other.reused_);
}

void UpstreamPool::drop_place(UpstreamServer& server) {
  server.give_place();
  counters_.add(Gauge::upstream_open, -1);
  wake_next();
}

void UpstreamPool::wake_next() {
  if (!waiting_.empty()) static_cast<Waiter&>(*waiting_.front()).signal.notify();
}

Task<void> UpstreamPool::wait_for_place(const std::vector<UpstreamServer*>& servers, Time deadline) {
  Waiter waiter(scheduler_, servers);
  waiting_.push_back(waiter);
  co_await waiter.signal.wait(std::min(deadline, scheduler_.now() + look_again));
}

UpstreamPool::Lease UpstreamPool::lease_of(UpstreamServer& server, std::unique_ptr<UpstreamChannel> channel, bool reused) {
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
  return lease_of(*idle.server, std::move(idle.channel), true);
}

std::vector<UpstreamServer*> UpstreamPool::candidates(UpstreamGroup& group,
                                                      const std::vector<UpstreamServer*>& tried) const {
  std::vector<UpstreamServer*> servers;
  for (const auto& server : group.servers) {
    if (server->is_down(scheduler_.now())) continue;
    if (std::find(tried.begin(), tried.end(), server.get()) == tried.end()) servers.push_back(server.get());
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

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::acquire(UpstreamGroup& group,
                                                                      std::vector<UpstreamServer*>& tried, bool fresh,
                                                                      Time deadline) {
  UpstreamError last{UpstreamError::Kind::down, "no upstream server is up", false};
  while (true) {
    auto servers = candidates(group, tried);
    if (servers.empty()) co_return last;
    UpstreamServer* free_server = nullptr;
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
    if (!free_server) {
      if (scheduler_.now() >= deadline) co_return UpstreamError{UpstreamError::Kind::timed_out, "all connections are busy", false};
      co_await wait_for_place(servers, deadline);
      continue;
    }
    auto opened = co_await open(group, *free_server);
    if (opened) co_return opened;
    last = std::move(opened).error();
    tried.push_back(free_server);
  }
}

Task<Result<UpstreamPool::Lease, UpstreamError>> UpstreamPool::open(UpstreamGroup& group, UpstreamServer& server) {
  // The place is ours already; it goes back unless a connection comes of it.
  struct Place {
    UpstreamPool& pool;
    UpstreamServer& server;
    bool held = true;
    ~Place() {
      if (held) pool.drop_place(server);
    }
  } place{*this, server};
  counters_.add(Gauge::upstream_open, 1);
  counters_.add(Total::upstream_connections);

  auto context = tls_.find(group.settings.name);
  const tls::ClientContext* tls = context == tls_.end() ? nullptr : context->second.get();
  auto channel =
      co_await UpstreamChannel::open(scheduler_, dialer_, tls, group.settings, server.address(), ehlo_name_, timeouts_);
  // Opportunistic means: rather in the clear than not at all.
  if (!channel && channel.error().kind == UpstreamError::Kind::tls &&
      group.settings.tls.mode == tls::UpstreamTls::opportunistic) {
    channel =
        co_await UpstreamChannel::open(scheduler_, dialer_, nullptr, group.settings, server.address(), ehlo_name_, timeouts_);
  }
  if (!channel) {
    server.failed(scheduler_.now());
    co_return std::move(channel).error();
  }
  server.succeeded(scheduler_.now());
  server.learned((*channel)->extensions());
  place.held = false;
  co_return lease_of(server, std::move(*channel), false);
}

void UpstreamPool::give_back(Lease lease, bool needs_reset) {
  if (!lease || !lease->is_usable() || lease->owed() > 0) return;
  lease.server_->succeeded(scheduler_.now());
  if (needs_reset) {
    errands_.spawn(reset_and_keep(std::move(lease)));
  } else {
    keep(std::move(lease));
  }
}

void UpstreamPool::keep(Lease lease) {
  if (lease.server_->is_starving() && waiting_.empty()) {  // another worker waits for this place
    errands_.spawn(retire(std::move(lease)));
    return;
  }
  idle_.push_back({lease.server_, std::move(lease.channel_), scheduler_.now()});
  counters_.add(Gauge::upstream_idle, 1);
  wake_next();
  if (!sweeping_) {
    sweeping_ = true;
    errands_.spawn(sweep());
  }
}

Task<void> UpstreamPool::reset_and_keep(Lease lease) {
  auto reply = co_await lease->ask("RSET\r\n", scheduler_.now() + timeouts_.reply);
  if (reply && reply->is_positive()) keep(std::move(lease));
}

Task<void> UpstreamPool::retire(Lease lease) { co_await lease->say_goodbye(); }

Task<void> UpstreamPool::sweep() {
  while (!idle_.empty()) {
    co_await async::sleep_for(scheduler_, sweep_interval);
    Time oldest = scheduler_.now() - keep_idle_for;
    for (std::size_t i = 0; i < idle_.size();) {
      const Idle& idle = idle_[i];
      if (idle.since > oldest && idle.channel->is_usable() && !idle.server->is_starving()) {
        ++i;
      } else {
        errands_.spawn(retire(unshelve(i)));
      }
    }
  }
  sweeping_ = false;
}

Task<void> UpstreamPool::close_idle() {
  async::Nursery farewells(scheduler_);
  while (!idle_.empty()) farewells.spawn(retire(unshelve(idle_.size() - 1)));
  co_await farewells.join();
}

Task<void> UpstreamPool::probe(UpstreamGroup& group, UpstreamServer& server) {
  if (!server.take_place(group.settings.max_connections)) co_return;  // in use to the brim: certainly there
  auto lease = co_await open(group, server);
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
        errands_.spawn(probe(group, *server));
      }
    }
    co_await async::sleep_for(scheduler_, next);
  }
}

}  // namespace sallyport::session
