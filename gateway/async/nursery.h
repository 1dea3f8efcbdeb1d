// Nursery: owns coroutines that run beside each other.
//
// spawn() starts a child at once and lets it run to its first wait; a child that ends frees its frame by itself. The
// destructor ends all that still wait: nothing outlives its nursery. A child that throws does not disturb its siblings;
// join() throws the first such error once all have ended, and a nursery that is never joined drops it (give children a
// catch of their own where that matters). Ending a child runs the destructors of its frame; they must not touch the
// nursery.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"

namespace sallyport::async {

class Nursery {
 public:
  explicit Nursery(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  ~Nursery();

  void spawn(Task<void> child);
  // Ends all that still wait; who waits in join() goes on. Not to be called by one of the children.
  void cancel() noexcept;
  std::size_t size() const noexcept { return size_; }

  class Join;
  // Waits until no child is left. One coroutine at a time.
  Join join() noexcept;

 private:
  struct Root;  // the coroutine around each child
  static Root run(Nursery& nursery, Task<void> child);
  void ended(std::exception_ptr error) noexcept;
  void tell_joiner() noexcept;

  Scheduler& scheduler_;
  ListHead children_;
  std::size_t size_ = 0;
  Join* joiner_ = nullptr;
  std::exception_ptr first_error_;
};

class Nursery::Join {
 public:
  explicit Join(Nursery& nursery) noexcept : nursery_(&nursery) {}
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;
  ~Join() {
    if (nursery_ && nursery_->joiner_ == this) nursery_->joiner_ = nullptr;
  }

  bool await_ready() const noexcept { return nursery_->size_ == 0; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    ensure(!nursery_->joiner_, "Nursery: two coroutines join it");
    ready_.coroutine = coroutine;
    nursery_->joiner_ = this;
  }
  void await_resume() const {
    if (nursery_ && nursery_->first_error_) std::rethrow_exception(std::exchange(nursery_->first_error_, nullptr));
  }

 private:
  friend class Nursery;
  Nursery* nursery_;  // null once the nursery is gone
  ReadyNode ready_;
};

inline Nursery::Join Nursery::join() noexcept { return Join(*this); }

}  // namespace sallyport::async
