// What happens to the pool's connections between mails: they are kept, given up for others, closed when their time has
// come; and servers are probed.
#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "gateway/async/interruptible.h"
#include "gateway/upstream/waiter.h"

namespace sallyport::upstream {

namespace {

constexpr Duration sweep_interval = std::chrono::seconds(1);
// How often those who wait look at servers and clients; so many more of them look more rarely, as it costs each time.
constexpr Duration look_again_interval = std::chrono::milliseconds(50);
constexpr std::size_t many_waiters = 1000;
// A client that has been silent for less is at work: its transaction is not given up.
constexpr Duration least_silence = std::chrono::milliseconds(500);
// A server that does not answer RSET in this time gets no further mail on that connection.
constexpr Duration reset_patience = std::chrono::seconds(5);
constexpr Duration probe_patience = std::chrono::seconds(5);

}  // namespace

// A question for a server's health, of which there is one for each server at a time, whichever worker asks.
class UpstreamPool::Probe : public async::ListNode {
 public:
  Probe(UpstreamPool& pool, UpstreamServer& server, Task<void> work)
      : server_(server), work_(pool.scheduler_, std::move(work)) {
    pool.probes_.push_back(*this);
  }
  ~Probe() { server_.end_probe(); }

  UpstreamServer& server() const { return server_; }
  async::Interruptible& work() { return work_; }

 private:
  UpstreamServer& server_;
  async::Interruptible work_;
};

template <class Act>
void UpstreamPool::for_each_waiter(Act act) const {
  const async::FairTurns in_no_order;
  async::FairWalk walk(waiters_, in_no_order);
  while (async::ListNode* const node = walk.next()) act(static_cast<Waiter&>(*node));
}

std::size_t UpstreamPool::waiting() const {
  std::size_t count = 0;
  for_each_waiter([&count](const Waiter& one) { count += one.is_waiting() ? 1 : 0; });
  return count;
}

UpstreamPool::Waiter* UpstreamPool::first_user_of(const UpstreamServer& server, const UpstreamChannel& channel) const {
  if (server.waiting() == 0 || waiters_.empty()) return nullptr;
  const async::FairTurns turns = waiters_.is_of_one_payer() ? async::FairTurns() : room().turns();
  async::FairWalk walk(waiters_, turns);
  while (async::ListNode* const node = walk.next()) {
    auto& waiter = static_cast<Waiter&>(*node);
    if (waiter.waits_for(server) && waiter.can_use(server, channel)) return &waiter;
  }
  return nullptr;
}

UpstreamPool::Waiter* UpstreamPool::first_user_of_idle(const UpstreamServer& server) const {
  for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
    if (idle->server.get() != &server) continue;
    if (Waiter* const user = first_user_of(server, *idle->channel)) return user;
  }
  return nullptr;
}

void UpstreamPool::keep(Lease lease) {
  UpstreamServer& server = *lease.server_;
  Waiter* user = first_user_of(server, *lease);
  const Time until = lease->keep_until(lease.retention_);
  // A server that is no longer in the configuration: its connection is kept only while a session waits for it.
  const bool is_wanted = is_current(server) || user != nullptr;
  const bool is_spent = !is_wanted || lease->is_worn_out(lease.retention_) || until <= scheduler_.now();
  const bool is_promised = lease.clearing_ && room().is_for_another(*lease.clearing_, this);
  if (!is_promised) {
    lease.clearing_.reset();
    if (is_spent || user == nullptr) {
      // Those who wait here and cannot use it count too: they get its place.
      lease.clearing_ = room().clear(server, scheduler_.now());
    } else if (!gave_away_last_) {
      // Every second time it is another worker's turn.
      lease.clearing_ = room().clear(server, scheduler_.now(), this);
    }
  }
  gave_away_last_ = lease.clearing_ != nullptr;
  if (is_spent || lease.clearing_) return background_.spawn(retire(std::move(lease)));
  if (user != nullptr) {
    lease->start_anew();
    lease.reused_ = true;
    return user->give(std::move(lease));
  }
  // The entry is added first: if that throws, the lease still owns the connection and closes it.
  Idle& idle = idle_.emplace_back(Idle{nullptr, nullptr, until});
  idle.server = std::move(lease.server_);
  idle.channel = std::move(lease.channel_);
  idle.server->idle(1);
  counters_.add(Gauge::upstream_idle, 1);
  if (!sweeping_) background_.spawn(sweep());
}

Task<void> UpstreamPool::reset_and_keep(Lease lease) {
  auto reply = co_await lease->ask("RSET\r\n", scheduler_.now() + std::min(lease->timeouts().reply, reset_patience));
  if (reply && reply->is_positive()) keep(std::move(lease));
}

Task<void> UpstreamPool::retire(Lease lease) {
  const UpstreamServer& server = lease.server();
  std::function<bool()> is_wanted = [&server] { return server.waiting() > 0; };
  co_await lease->say_goodbye(std::move(is_wanted));
}

void UpstreamPool::serve(UpstreamServer& server) {
  if (server.waiting() == 0) return;
  room().offer(server, scheduler_.now(), this);
  const auto find_idle = [&] {
    return std::find_if(idle_.begin(), idle_.end(), [&](const Idle& one) { return one.server.get() == &server; });
  };
  // Each round uses one up, or finds it unfit: a waiter that can use it takes it, or another one.
  while (Waiter* const user = first_user_of_idle(server)) user->give_idle(server);
  try {
    for (auto idle = find_idle(); idle != idle_.end(); idle = find_idle()) {
      auto clearing = room().clear(server, scheduler_.now());
      if (!clearing) return;
      Lease lease = unshelve(static_cast<std::size_t>(idle - idle_.begin()));
      lease.clearing_ = std::move(clearing);
      background_.spawn(retire(std::move(lease)));
    }
  } catch (const std::bad_alloc&) {
    return;  // the lease has closed its connection
  }
  for (async::ListNode* node = probes_.empty() ? nullptr : probes_.front(); node; node = probes_.after(*node)) {
    auto& probe = static_cast<Probe&>(*node);
    if (&probe.server() == &server && room().is_wanted(server, scheduler_.now())) probe.work().interrupt();
  }
  async::ListNode* next = silent_.empty() ? nullptr : silent_.front();
  while (next != nullptr) {
    auto& transaction = static_cast<SilentTransaction&>(*next);
    next = silent_.after(*next);
    if (scheduler_.now() - transaction.silent_since < least_silence) return;
    if (transaction.held_server() != &server) continue;
    if (!room().is_wanted(server, scheduler_.now())) return;
    transaction.give_up();
  }
}

void UpstreamPool::call_others() {
  if (neighbours_) neighbours_->call_others();
}

void UpstreamPool::give_up(Lease lease) noexcept {
  try {
    if (!lease || !lease->is_usable() || lease->owed() > 0) return;
    lease.clearing_ = room().clear(lease.server(), scheduler_.now());
    background_.spawn(reset_and_keep(std::move(lease)));
  } catch (const std::exception&) {
    // The lease's destructor has closed the connection.
  }
}

void UpstreamPool::look_around() {
  std::vector<UpstreamServer*> wanted;
  const auto look_at = [&](UpstreamServer* server) {
    const bool is_known = std::find(wanted.begin(), wanted.end(), server) != wanted.end();
    if (!is_known && server->waiting() > 0) wanted.push_back(server);
  };
  for_each_waiter([](Waiter& waiter) { waiter.notice_grant(); });
  for (const Idle& idle : idle_) look_at(idle.server.get());
  for (async::ListNode* node = probes_.empty() ? nullptr : probes_.front(); node; node = probes_.after(*node)) {
    look_at(&static_cast<Probe&>(*node).server());
  }
  for (async::ListNode* node = silent_.empty() ? nullptr : silent_.front(); node; node = silent_.after(*node)) {
    if (auto* server = static_cast<SilentTransaction&>(*node).held_server()) look_at(server);
  }
  for (UpstreamServer* server : wanted) serve(*server);
}

Task<void> UpstreamPool::tend() {
  tending_ = true;
  while (!waiters_.empty()) {
    co_await async::sleep_for(scheduler_, look_again_interval * (1 + waiters_count_ / many_waiters));
    try {
      std::vector<UpstreamServer*> servers;
      bool has_waiting = false;
      for_each_waiter([&](Waiter& waiter) {
        waiter.look_again();
        if (!waiter.is_waiting()) return;
        has_waiting = true;
        for (UpstreamServer* server : waiter.servers()) {
          if (std::find(servers.begin(), servers.end(), server) == servers.end()) servers.push_back(server);
        }
      });
      for (UpstreamServer* server : servers) serve(*server);
      if (has_waiting) call_others();
    } catch (const std::bad_alloc&) {
      // The next round looks again.
    }
  }
  tending_ = false;
}

Task<void> UpstreamPool::sweep() {
  sweeping_ = true;
  while (!idle_.empty()) {
    co_await async::sleep_for(scheduler_, sweep_interval);
    try {
      retire_old();
      look_around();
    } catch (const std::bad_alloc&) {
      // The next round closes the rest.
    }
  }
  sweeping_ = false;
}

void UpstreamPool::retire_old() {
  for (std::size_t i = 0; i < idle_.size();) {
    const Idle& idle = idle_[i];
    const bool is_wanted = is_current(*idle.server);
    if (is_wanted && scheduler_.now() < idle.until && idle.channel->is_usable()) {
      ++i;
    } else {
      part_with(unshelve(i));
    }
  }
}

Task<void> UpstreamPool::close_idle() {
  async::Nursery farewells(scheduler_);
  while (!idle_.empty()) farewells.spawn(retire(unshelve(idle_.size() - 1)));
  co_await farewells.join();
}

Task<void> UpstreamPool::ask_for_health(const UpstreamGroup& group, UpstreamServer& server, Lease& lease) {
  auto opened = co_await acquire_beside(group, server, probe_patience, nullptr);
  if (opened) lease = std::move(*opened);
}

// It holds one place of the server's, for probe_patience at most, and not while a mail waits for it.
Task<void> UpstreamPool::probe(std::shared_ptr<const UpstreamGroup> group, std::shared_ptr<UpstreamServer> server) {
  if (!server->begin_probe()) co_return;
  Lease lease;
  Probe probe(*this, *server, ask_for_health(*group, *server, lease));
  const bool is_done = co_await probe.work();
  if (!is_done || !lease) co_return;
  // One idle connection, of whichever worker, is enough of what no mail has asked for; and where each client needs a
  // connection of its own, ours is of no use to any. Who waits gets the connection, or its place.
  const bool is_ours = !lease->speaks_for().empty() || group->settings.client_info == config::ClientInfoWay::tproxy;
  const bool is_spare = server->waiting() == 0 && (server->idle() > 0 || is_ours);
  is_spare ? part_with(std::move(lease)) : keep(std::move(lease));
}

void UpstreamPool::ask_in_our_name(const UpstreamServer& server) {
  try {
    for (const auto& [name, group] : current_) {
      for (const auto& known : group->servers) {
        if (known.get() == &server) return background_.spawn(probe(group, known));
      }
    }
  } catch (const std::bad_alloc&) {
    // The next regular probe finds it out.
  }
}

Duration UpstreamPool::start_probes() {
  Duration next = std::chrono::hours(1);
  for (const auto& [name, group] : current_) {
    next = std::min(next, group->settings.health_interval);
    for (const auto& server : group->servers) {
      bool heard_lately = scheduler_.now() - server->last_success() < group->settings.health_interval;
      if (server->extensions() && heard_lately) continue;
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
