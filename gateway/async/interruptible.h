// Interruptible: awaits a task that another coroutine may end before it is done.
//
//   async::Interruptible work(scheduler, do_something());   // as an object that others can reach
//   const bool is_done = co_await work;                     // false: somebody called interrupt()
//
// Costs no frame. One thread only, as everything of a scheduler.
#pragma once

#include <coroutine>
#include <utility>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"

namespace sallyport::async {

class Interruptible {
 public:
  Interruptible(Scheduler& scheduler, Task<void> task) noexcept
      : scheduler_(scheduler), task_(std::move(task)), awaiting_(std::move(task_).operator co_await()) {}
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  // Destroys the task where it waits; the coroutine that awaits it goes on. Not to be called by the task itself, nor
  // before it is awaited. After the task's end, or a second time, it does nothing.
  void interrupt() noexcept {
    if (!task_ || !is_waiting_) return;
    task_.reset();
    scheduler_.post(waiting_);
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    waiting_.coroutine = coroutine;
    is_waiting_ = awaiting_.await_suspend(coroutine);
    return is_waiting_;
  }
  // True: the task has ended by itself; what it threw is thrown here.
  bool await_resume() {
    is_waiting_ = false;
    if (!task_) return false;
    awaiting_.await_resume();
    return true;
  }

 private:
  Scheduler& scheduler_;
  Task<void> task_;
  decltype(std::declval<Task<void>>().operator co_await()) awaiting_;
  ReadyNode waiting_;
  bool is_waiting_ = false;
};

}  // namespace sallyport::async
