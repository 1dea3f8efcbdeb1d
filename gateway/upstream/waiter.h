// Who waits for a place at a server, and who holds one that is not a connection yet. Private to the pool.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/upstream/pool.h"

namespace sallyport::upstream {

// One acquire() that may have to wait. What becomes free is handed to it: a connection by its own pool, a place by
// whichever pool has released one (waiting_room.h). The destructor gives back what it has got and not taken.
class UpstreamPool::Waiter : public async::ListNode {
 public:
  Waiter(UpstreamPool& pool, const UpstreamGroup& group, std::vector<FailedServer>& failed, const Wish& wish)
      : pool_(pool), group_(group), failed_(failed), wish_(wish), signal_(pool.scheduler_), seat_(*this) {}
  ~Waiter() {
    if (is_linked()) --pool_.waiters_count_;
    pool_.room().leave(seat_, pool_.scheduler_.now());
    if (lease_) pool_.room().give_turn_back(seat_);
    pool_.give_back(std::move(lease_), false);
  }

  // For whom a connection to the server has to speak.
  std::string identity_at(const UpstreamServer& server) const {
    return identity_of(group_.settings.client_info, wish_.spoken_for, server.address());
  }
  bool is_waiting() const { return seat_.is_waiting(); }
  // True if a connection to the server is of use to it.
  bool waits_for(const UpstreamServer& server) const {
    return seat_.is_waiting() && seat_.wants(server) && !has_client_gone();
  }
  bool has_client_gone() const { return wish_.client != nullptr && wish_.client->has_gone(); }

  // What was handed to it, once.
  Lease take_lease() { return std::move(lease_); }
  UpstreamServer* take_place() { return seat_.has_grant() ? pool_.room().take_grant(seat_) : nullptr; }

  // Waits for something to be handed to it, for a reason to look again, or for the deadline.
  Task<void> wait(std::vector<UpstreamServer*> servers) {
    pool_.room().enter(seat_, servers);
    if (!is_linked()) {
      pool_.waiters_.enter(*this, wish_.payer);
      ++pool_.waiters_count_;
    }
    if (!pool_.tending_) pool_.background_.spawn(pool_.tend());
    for (UpstreamServer* server : servers) pool_.serve(*server);
    if (is_waiting()) pool_.call_others();
    co_await signal_.wait(wish_.deadline);
  }

  // Called at short intervals: servers may have recovered or failed since, and clients left.
  void look_again() {
    if (seat_.has_grant() || has_client_gone()) return signal_.notify();
    if (!is_waiting()) return;
    const Time now = pool_.scheduler_.now();
    forgive(failed_, now);
    auto servers = candidates(group_, failed_, wish_.preferred, now);
    if (servers.empty()) return signal_.notify();  // acquire() says why
    pool_.room().enter(seat_, std::move(servers));
  }
  void notice_grant() {
    if (seat_.has_grant()) signal_.notify();
  }
  const std::vector<UpstreamServer*>& servers() const { return seat_.servers(); }

  // Hands it an idle connection to the server, if there is one that it can use.
  void give_idle(UpstreamServer& server) {
    if (wish_.fresh) return;
    if (Lease lease = pool_.take_idle(group_, server, identity_at(server))) give(std::move(lease));
  }
  bool can_use(const UpstreamServer& server, const UpstreamChannel& channel) const {
    return !wish_.fresh && channel.can_speak_for(identity_at(server), group_.settings.client_info);
  }
  void give(Lease lease) {
    pool_.room().leave(seat_, pool_.scheduler_.now(), WaitingRoom::Leaving::served);
    lease_ = std::move(lease);
    signal_.notify();
  }

 private:
  class Seat final : public WaitingRoom::Guest {
   public:
    explicit Seat(Waiter& waiter)
        : Guest(&waiter.pool_, waiter.group_.settings.max_connections, waiter.wish_.payer), waiter_(waiter) {}

   private:
    void has_been_granted(const void* by) noexcept override {
      if (by == &waiter_.pool_) {
        waiter_.signal_.notify();
      } else {
        waiter_.pool_.neighbours_->call();  // look_around() notices it, on the pool's own thread
      }
    }
    Waiter& waiter_;
  };

  UpstreamPool& pool_;
  const UpstreamGroup& group_;
  std::vector<FailedServer>& failed_;
  const Wish wish_;
  async::Signal signal_;
  Seat seat_;
  Lease lease_;
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
    if (pool_) pool_->drop_slot(server_);
  }

  UpstreamServer& server() const { return server_; }
  // From here on the connection's lease releases the slot.
  void hand_over() { pool_ = nullptr; }

 private:
  UpstreamPool* pool_;
  UpstreamServer& server_;
};

}  // namespace sallyport::upstream
