// Nursery: owns coroutines that run concurrently on one thread.
//
// spawn() starts a child at once and runs it to its first wait. A child that ends frees its own frame. The destructor
// destroys all children that still wait: none outlives its nursery. A child that throws does not disturb the others;
// join() throws the first such exception once all children have ended. If nobody calls join(), that exception is lost:
// let a child catch its own where it matters. Destroying a child runs the destructors of the objects in its frame;
// these must not use the nursery.
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
  // Destroys all children that still wait and wakes the coroutine in join(), if any. A child must not call it.
  void cancel() noexcept;
  std::size_t size() const noexcept { return size_; }

  class Join;
  // Waits until no child is left. Only one coroutine at a time may wait in join().
  Join join() noexcept;

 private:
  struct Root;  // the coroutine that awaits a child and reports its end
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
