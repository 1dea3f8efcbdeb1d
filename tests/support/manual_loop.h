// ManualLoop: drives coroutines by a clock that only the test moves.
//
// Nothing sleeps: an hour of deadlines takes microseconds, and two runs of a test see the same order of events. The
// clock starts at one hour, so that a test may also speak of times before the start.
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

  // Lets everything run that can run now; no time passes.
  void run() { scheduler_.run_ready(); }
  // Lets so much time pass, one timer after the other, each with all that comes of it before the next.
  void advance(Duration duration);
  // Lets the time pass until the next timer may fire; false when none is set.
  bool advance_to_next_timer();

  // Runs the task to its end, letting as much time pass as it waits for, and gives its result or throws what it threw.
  // Throws BrokenInvariant when nothing can happen any more and the task still waits, or after `limit` of manual time.
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
