// Waiting for something that somebody else will tell: Signal, with a deadline, and sleeping.
#pragma once

#include <coroutine>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"

namespace sallyport::async {

inline constexpr Time no_deadline = Time::max();

enum class Woken { notified, timed_out };

// A place where at most one coroutine waits for news. notify() with nobody waiting is remembered until the next wait;
// between a wake-up and the moment the woken one runs, further news are the same news. A wait whose deadline came first
// ends with timed_out, and what is told after that is kept for the next one.
//
// A signal may go away before the one who waits: if that one was woken already it runs, else it is never woken.
class Signal {
 public:
  explicit Signal(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal();

  class Awaiter;
  // Ends with notified, or with timed_out once the deadline has passed.
  Awaiter wait(Time deadline = no_deadline) noexcept;
  void notify() noexcept;
  // Forgets news that nobody waited for.
  void reset() noexcept { notified_ = false; }
  bool has_waiter() const noexcept;  // and it was not woken yet
  Scheduler& scheduler() const noexcept { return scheduler_; }

 private:
  Scheduler& scheduler_;
  Awaiter* waiter_ = nullptr;  // from its suspension until it runs again
  bool notified_ = false;
};

class Signal::Awaiter : private Timer {
 public:
  Awaiter(Signal& signal, Time deadline) noexcept : signal_(&signal), deadline_(deadline) {}
  ~Awaiter() override { leave(); }

  bool await_ready() const noexcept { return signal_->notified_; }
  bool await_suspend(std::coroutine_handle<> coroutine);
  Woken await_resume() noexcept;

 private:
  friend class Signal;
  void fired() override { wake(Woken::timed_out); }
  void wake(Woken why) noexcept;
  void leave() noexcept;

  Signal* signal_;  // null once the signal is gone, or serves another waiter
  Time deadline_;
  ReadyNode ready_;
  Woken woken_ = Woken::notified;
};

inline bool Signal::has_waiter() const noexcept { return waiter_ && !waiter_->ready_.is_posted(); }
inline Signal::Awaiter Signal::wait(Time deadline) noexcept { return Awaiter(*this, deadline); }

// Waits until the time has come.
class SleepUntil : private Timer {
 public:
  SleepUntil(Scheduler& scheduler, Time when) noexcept : scheduler_(scheduler), when_(when) {}

  bool await_ready() const noexcept { return when_ <= scheduler_.now(); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    ready_.coroutine = coroutine;
    scheduler_.set(*this, when_);
  }
  void await_resume() const noexcept {}

 private:
  void fired() override { scheduler_.post(ready_); }

  Scheduler& scheduler_;
  Time when_;
  ReadyNode ready_;
};

inline SleepUntil sleep_for(Scheduler& scheduler, Duration duration) noexcept {
  return SleepUntil(scheduler, scheduler.now() + duration);
}

}  // namespace sallyport::async
