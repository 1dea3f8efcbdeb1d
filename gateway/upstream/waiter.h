// Who waits for a place at a server, and who holds one that is not a connection yet. Private to the pool.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/upstream/pool.h"

namespace sallyport::upstream {

// One acquire() that may have to wait for a slot. Within a group, waiters are served in the order of their arrival: the
// first looks for a slot, the others wait until they are first. The destructor removes the waiter from the queue, and
// its `starving` marks from the servers.
class UpstreamPool::Waiter : public async::ListNode {
 public:
  Waiter(UpstreamPool& pool, const UpstreamGroup& group) : pool_(pool), group_(group), signal_(pool.scheduler_) {}
  ~Waiter() { leave(); }

  // True if it may take a slot of the server: it is the first in its queue, or there is no queue and no other worker or
  // group waits for the server.
  bool may_take(const UpstreamServer& server) const {
    const auto queue = pool_.waiting_.find(&group_);
    if (queue != pool_.waiting_.end()) return queue->second.front() == this;
    return server.starving() == 0;
  }

  Task<void> wait(std::vector<UpstreamServer*> servers, Time deadline) {
    // How often the first waiter looks by itself. A slot that this worker or a neighbour releases wakes it at once.
    constexpr Duration look_again = std::chrono::milliseconds(50);
    async::ListHead& queue = pool_.waiting_[&group_];
    if (!is_linked()) was_first_ ? queue.push_front(*this) : queue.push_back(*this);
    const bool is_first = queue.front() == this;
    starve_for(is_first ? std::move(servers) : std::vector<UpstreamServer*>());
    if (is_first) {
      was_first_ = true;
      for (UpstreamServer* server : starving_for_) pool_.make_room(*server);
      if (pool_.neighbours_) pool_.neighbours_->call_others();
    }
    co_await signal_.wait(is_first ? std::min(deadline, pool_.scheduler_.now() + look_again) : deadline);
  }

  void leave() {
    starve_for({});
    if (!is_linked()) return;
    unlink();
    const auto queue = pool_.waiting_.find(&group_);
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
  bool was_first_ = false;  // it comes back to the front when the place it found was none
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

// A connection is being given up for somebody who waits: as long as this lives, no other is for the same waiter.
class UpstreamPool::Clearing {
 public:
  explicit Clearing(UpstreamServer& server) : server_(server.shared_from_this()) { server_->clearing(1); }
  Clearing(Clearing&& other) noexcept = default;
  ~Clearing() {
    if (server_) server_->clearing(-1);
  }

 private:
  std::shared_ptr<UpstreamServer> server_;
};

}  // namespace sallyport::upstream
