// Signal: a coroutine waits, with a deadline, until other code on the same thread calls notify(). SleepUntil: waits for
// a time.
#pragma once

#include <coroutine>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"

namespace sallyport::async {

inline constexpr Time no_deadline = Time::max();

enum class Woken { notified, timed_out };

// At most one coroutine at a time waits on a Signal. A notify() while nobody waits is remembered, and the next wait()
// returns at once. Several calls of notify() before the woken coroutine runs count as one. A wait whose deadline passes
// first returns timed_out; a notify() after that is kept for the next wait. A wait whose deadline is over when it
// begins lasts until the loop has looked for events once more (scheduler.h): what it waits for may have arrived long
// ago.
//
// The Signal may be destroyed before the coroutine that waits on it: if the coroutine was woken already, it runs;
// otherwise it is never woken.
class Signal {
 public:
  explicit Signal(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal();

  class Awaiter;
  // Returns notified, or timed_out once the deadline has passed.
  Awaiter wait(Time deadline = no_deadline) noexcept;
  void notify() noexcept;
  // Forgets a notify() that nobody has waited for.
  void reset() noexcept { notified_ = false; }
  bool has_waiter() const noexcept;  // a coroutine waits and has not been woken yet
  Scheduler& scheduler() const noexcept { return scheduler_; }

 private:
  Scheduler& scheduler_;
  Awaiter* waiter_ = nullptr;  // set from the coroutine's suspension until it runs again
  bool notified_ = false;
};

class Signal::Awaiter : private Timer {
 public:
  Awaiter(Signal& signal, Time deadline) noexcept : signal_(&signal), deadline_(deadline) {}
  ~Awaiter() override { leave(); }

  bool await_ready() const noexcept { return signal_->notified_; }
  void await_suspend(std::coroutine_handle<> coroutine);
  Woken await_resume() noexcept;

 private:
  friend class Signal;
  void fired() override { wake(Woken::timed_out); }
  void wake(Woken why) noexcept;
  void leave() noexcept;

  Signal* signal_;  // null once the signal is destroyed or has another waiter
  Time deadline_;
  ReadyNode ready_;
  Woken woken_ = Woken::notified;
};

inline bool Signal::has_waiter() const noexcept { return waiter_ && !waiter_->ready_.is_posted(); }
inline Signal::Awaiter Signal::wait(Time deadline) noexcept { return Awaiter(*this, deadline); }

// Waits until the scheduler's time reaches `when`.
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
