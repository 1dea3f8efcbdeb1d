// Lock: lets one coroutine at a time do something, in the order in which they asked. All of them run on one thread.
#pragma once

#include <utility>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"

namespace sallyport::async {

class Lock {
 public:
  explicit Lock(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Holds the lock until it is destroyed, and no longer than the Lock lives.
  class Held {
   public:
    explicit Held(Lock& lock) noexcept : lock_(&lock) {}
    Held(Held&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (lock_) lock_->release();
    }

   private:
    Lock* lock_;
  };

  // Waits until nobody holds the lock and everybody who asked before has had it. The task may be ended meanwhile.
  Task<Held> take();
  bool is_held() const noexcept { return is_held_; }

 private:
  struct Waiter : ListNode {
    explicit Waiter(Lock& of) noexcept : lock(of), turn(of.scheduler_) {}
    ~Waiter() {
      unlink();
      if (!lock.is_held_) lock.wake_first();  // its turn may have come, and it is gone
    }
    Lock& lock;
    Signal turn;
  };

  void release() noexcept {
    is_held_ = false;
    wake_first();
  }
  void wake_first() noexcept {
    if (!waiting_.empty()) static_cast<Waiter&>(*waiting_.front()).turn.notify();
  }

  Scheduler& scheduler_;
  bool is_held_ = false;
  ListHead waiting_;
};

inline Task<Lock::Held> Lock::take() {
  Waiter self(*this);
  waiting_.push_back(self);
  while (is_held_ || waiting_.front() != &self) co_await self.turn.wait();
  self.unlink();
  is_held_ = true;
  co_return Held(*this);
}

}  // namespace sallyport::async
