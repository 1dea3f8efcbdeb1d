// ManualLoop: runs coroutines with a clock that only the test moves.
//
// Nothing sleeps: an hour of deadlines takes microseconds, and the order of events is the same in every run. The clock
// starts at one hour, so that a test can use times before the start.
#pragma once

#include <utility>

#include "gateway/async/ending.h"
#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/units.h"

namespace sallyport::support {

class ManualLoop {
 public:
  ManualLoop() : scheduler_(Time(std::chrono::hours(1))) {}

  async::Scheduler& scheduler() noexcept { return scheduler_; }
  Time now() const noexcept { return scheduler_.now(); }

  // Runs everything that is ready, in as many turns of the loop as it takes; no time passes.
  void run();
  // Lets `duration` pass: fires the timers one after another, and runs everything that became ready before the next
  // timer.
  void advance(Duration duration);
  // Advances the time to the next timer and fires it; false when no timer is set.
  bool advance_to_next_timer();

  // Runs the task to its end and lets as much time pass as it waits for. Returns its result, or throws what it threw.
  // Throws BrokenInvariant when the task waits and nothing can happen any more, or after `limit` of manual time.
  template <class T>
  T run_until_done(Task<T> task, Duration limit = std::chrono::hours(24 * 7));

 private:
  void run_until_empty(async::Nursery& nursery, Duration limit);

  async::Scheduler scheduler_;
};

template <class T>
T ManualLoop::run_until_done(Task<T> task, Duration limit) {
  async::Ending<T> ending;
  async::Nursery nursery(scheduler_);
  nursery.spawn(async::keep(std::move(task), ending));
  run_until_empty(nursery, limit);
  return ending.take();
}

}  // namespace sallyport::support
