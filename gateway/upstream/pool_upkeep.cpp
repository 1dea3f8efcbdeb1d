// What happens to the pool's connections between mails: they are kept, given up for others, closed when their time has
// come; and servers are probed.
#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "gateway/upstream/waiter.h"

namespace sallyport::upstream {

namespace {

constexpr Duration sweep_interval = std::chrono::seconds(1);
// A client that has been silent for less is at work: its transaction is not given up.
constexpr Duration least_silence = std::chrono::milliseconds(500);
// A server that does not answer RSET in this time gets no further mail on that connection.
constexpr Duration reset_patience = std::chrono::seconds(5);
constexpr Duration probe_patience = std::chrono::seconds(5);

}  // namespace

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

void UpstreamPool::keep(Lease lease) {
  // A server that is no longer in the configuration: its connection is kept only while a session waits for it.
  const bool is_wanted = is_current(*lease.server_) || waiting_for(*lease.server_) > 0;
  const bool is_due = is_due_to_others(*lease.server_);
  const Time until = lease->keep_until(lease.retention_);
  if (is_due || !is_wanted || lease->is_worn_out(lease.retention_) || until <= scheduler_.now()) {
    lease.for_others_ = is_due;
    background_.spawn(retire(std::move(lease), std::nullopt));
    return;
  }
  // The entry is added first: if that throws, the lease still owns the connection and closes it.
  Idle& idle = idle_.emplace_back(Idle{nullptr, nullptr, until});
  idle.server = std::move(lease.server_);
  idle.channel = std::move(lease.channel_);
  counters_.add(Gauge::upstream_idle, 1);
  wake_waiters();
  if (!sweeping_) background_.spawn(sweep());
}

Task<void> UpstreamPool::reset_and_keep(Lease lease, std::optional<Clearing>) {
  auto reply = co_await lease->ask("RSET\r\n", scheduler_.now() + std::min(lease->timeouts().reply, reset_patience));
  if (reply && reply->is_positive()) keep(std::move(lease));
}

Task<void> UpstreamPool::retire(Lease lease, std::optional<Clearing>) { co_await lease->say_goodbye(); }

void UpstreamPool::make_room(UpstreamServer& server) {
  if (server.clearing() >= server.starving()) return;
  try {
    const auto idle =
        std::find_if(idle_.begin(), idle_.end(), [&](const Idle& one) { return one.server.get() == &server; });
    if (idle != idle_.end()) {
      // Those who wait here take it as it is.
      if (waiting_for(server) > 0) return wake_waiters();
      Clearing clearing(server);
      background_.spawn(retire(unshelve(static_cast<std::size_t>(idle - idle_.begin())), std::move(clearing)));
      return;
    }
  } catch (const std::bad_alloc&) {
    return;  // the lease has closed its connection
  }
  for (async::ListNode* node = silent_.empty() ? nullptr : silent_.front(); node; node = silent_.after(*node)) {
    auto& transaction = static_cast<SilentTransaction&>(*node);
    if (scheduler_.now() - transaction.silent_since < least_silence) return;
    if (transaction.held_server() != &server) continue;
    return transaction.give_up();
  }
}

void UpstreamPool::give_up(Lease lease) noexcept {
  try {
    if (!lease || !lease->is_usable() || lease->owed() > 0) return;
    Clearing clearing(lease.server());
    background_.spawn(reset_and_keep(std::move(lease), std::move(clearing)));
  } catch (const std::exception&) {
    // The lease's destructor has closed the connection.
  }
}

void UpstreamPool::look_around() {
  wake_waiters();
  std::vector<UpstreamServer*> starving;
  const auto look_at = [&](UpstreamServer* server) {
    const bool is_known = std::find(starving.begin(), starving.end(), server) != starving.end();
    if (!is_known && server->starving() > waiting_for(*server)) starving.push_back(server);
  };
  for (const Idle& idle : idle_) look_at(idle.server.get());
  for (async::ListNode* node = silent_.empty() ? nullptr : silent_.front(); node; node = silent_.after(*node)) {
    if (auto* server = static_cast<SilentTransaction&>(*node).held_server()) look_at(server);
  }
  for (UpstreamServer* server : starving) make_room(*server);
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
    const bool is_wanted = is_current(*idle.server) || waiting_for(*idle.server) > 0;
    if (is_wanted && scheduler_.now() < idle.until && idle.channel->is_usable()) {
      ++i;
    } else {
      background_.spawn(retire(unshelve(i), std::nullopt));
    }
  }
}

Task<void> UpstreamPool::close_idle() {
  async::Nursery farewells(scheduler_);
  while (!idle_.empty()) farewells.spawn(retire(unshelve(idle_.size() - 1), std::nullopt));
  co_await farewells.join();
}

// It holds one place of the server's, however long that does not answer.
Task<void> UpstreamPool::probe(std::shared_ptr<const UpstreamGroup> group, std::shared_ptr<UpstreamServer> server) {
  struct Probing {
    UpstreamServer& server;
    ~Probing() { server.end_probe(); }
  };
  if (!server->begin_probe()) co_return;
  const Probing probing{*server};
  auto lease = co_await acquire_beside(*group, *server, probe_patience, nullptr);
  if (!lease) co_return;
  // One idle connection is enough of what no mail has asked for.
  const bool has_idle = std::any_of(idle_.begin(), idle_.end(), [&](const Idle& one) { return one.server == server; });
  // Where each client needs a connection of its own, ours is of no use to any.
  const bool is_ours = !(*lease)->speaks_for().empty() || group->settings.client_info == config::ClientInfoWay::tproxy;
  has_idle || is_ours ? part_with(std::move(*lease)) : keep(std::move(*lease));
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
