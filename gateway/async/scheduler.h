// Scheduler: what coroutines of one loop share. The ready queue, the timers, the loop's idea of now.
//
// It reads no clock and waits for nothing: a driver (uv::Loop, or a test's ManualLoop) tells it the time and lets it
// run. Whoever wakes a coroutine posts it here; nothing but run_ready() resumes one. So a coroutine never runs inside
// another one's step, and a wake-up never grows the stack.
#pragma once

#include <coroutine>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/timer_wheel.h"
#include "gateway/base/units.h"

namespace sallyport::async {

// One suspended coroutine and its place in the ready queue. Lives in the awaiter; its destructor takes it out.
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

  // The time of this turn of the loop; the same throughout it.
  Time now() const noexcept { return now_; }
  TimerWheel& timers() noexcept { return timers_; }
  void set(Timer& timer, Time when) noexcept { timers_.set(timer, when); }

  // Will resume the coroutine at the end of this turn. Posting twice is posting once.
  void post(ReadyNode& node) noexcept { ready_.push_back(node); }
  bool has_ready() const noexcept { return !ready_.empty(); }

  // For the driver: resumes what is ready, and what becomes ready by it, until nothing is.
  void run_ready();
  // For the driver: the clock has moved; fires what is due.
  void advance(Time now);

 private:
  Time now_;
  TimerWheel timers_;
  ListHead ready_;
};

}  // namespace sallyport::async
