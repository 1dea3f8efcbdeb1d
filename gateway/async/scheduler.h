// Scheduler: the state that all coroutines of one loop share: the ready queue, the timers, and the current time.
//
// It reads no clock and never blocks. A driver (uv::Loop, or ManualLoop in tests) sets the time and runs it. Code that
// wakes a coroutine posts it here, and only run_ready() resumes coroutines. So a coroutine never runs inside a step of
// another one, and waking one never deepens the stack. One thread only.
#pragma once

#include <coroutine>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/timer_wheel.h"
#include "gateway/base/units.h"

namespace sallyport::async {

// One suspended coroutine and its place in the ready queue. It is a member of the awaiter; its destructor removes it
// from the queue.
class ReadyNode : private ListNode {
 public:
  explicit ReadyNode(std::coroutine_handle<> coroutine = nullptr) noexcept : coroutine(coroutine) {}
  bool is_posted() const noexcept { return is_linked(); }

  std::coroutine_handle<> coroutine;

 private:
  friend class Scheduler;
};

class Scheduler {
 public:
  explicit Scheduler(Time now) : now_(now), timers_(now) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The time at which this turn of the loop began; it does not change within a turn.
  Time now() const noexcept { return now_; }
  TimerWheel& timers() noexcept { return timers_; }
  void set(Timer& timer, Time when) noexcept { timers_.set(timer, when); }

  // Queues the coroutine; run_ready() resumes it at the end of this turn. Posting it again before that has no further
  // effect than moving it to the end of the queue.
  void post(ReadyNode& node) noexcept { ready_.push_back(node); }
  bool has_ready() const noexcept { return !ready_.empty(); }

  // For the driver: resumes all queued coroutines, including those queued meanwhile, until the queue is empty.
  void run_ready();
  // For the driver: sets the time to `now` (never backwards) and fires the timers that are due.
  void advance(Time now);

 private:
  Time now_;
  TimerWheel timers_;
  ListHead ready_;
};

}  // namespace sallyport::async
