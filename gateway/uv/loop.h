// Loop: the event loop of one thread. It runs the coroutines of its scheduler as libuv reports events.
//
// Every libuv callback is a step (class Turn): at its beginning the scheduler's time is set to now, at its end all
// ready coroutines run. Only post() and stop() may be called from other threads, and job_has_ended() by the work pool.
// All timers of the scheduler share one libuv timer, armed for the earliest; when none is set, the loop sleeps until an
// event comes.
//
// Timers that are due fire only after the loop has looked for events once more and has handled those that had come
// (scheduler.h). When the loop itself was late by more than `standstill` (SIGSTOP, a machine that is moved, a turn that
// was blocked), it first goes on for `patience`: other threads and processes of the machine, or the kernel's network,
// may have stood still with it, and what came in time may have to pass through them.
//
// Before a Loop is destroyed, the coroutines that wait on it must have ended; streams may remain and are closed by it.
// The destructor waits for jobs that on_worker() has begun (work_pool.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/async/ending.h"
#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/ensure.h"
#include "gateway/base/histogram.h"
#include "gateway/base/units.h"
#include "gateway/uv/block_pool.h"

struct uv_loop_s;

namespace sallyport::uv {

class Work;
class WorkPool;

class Loop {
 public:
  // `work_pool` runs the jobs of on_worker() and outlives the loop; a loop without one has no jobs. Throws
  // std::runtime_error when the kernel gives it no descriptors.
  explicit Loop(WorkPool* work_pool = nullptr);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  async::Scheduler& scheduler() noexcept { return scheduler_; }
  // The monotonic clock that all deadlines use (the same as std::chrono::steady_clock).
  static Time now() noexcept;

  // Runs until stop(). Throws the first exception that a posted function threw.
  void run();
  // From any thread: ends run(); if the loop is not running, the next run() returns at once.
  void stop() noexcept;
  // From any thread: the function is called on the loop's thread, in the order of the posts. Functions that have not
  // run when the loop is destroyed are dropped.
  void post(std::function<void()> function);

  // Before run(): `lag`, which outlives the loop, gets how late each timer of libuv comes. The loop counts whole
  // milliseconds, so one that has nothing else to do is late by one or two.
  void measure_lag(Histogram& lag) noexcept { lag_ = &lag; }

  // Runs the loop until the task has ended, for programs that do one thing. Returns the task's result or throws its
  // exception.
  template <class T>
  T run_until_done(Task<T> task);

  // -- for the rest of gateway/uv -----------------------------------------------------------------------------------
  uv_loop_s* raw() noexcept;
  BlockPool& blocks() noexcept { return blocks_; }
  WorkPool* work_pool() noexcept { return work_pool_; }
  // Before a descriptor is watched. False: there is no memory for that (watcher_room.h).
  bool make_room_for(int descriptor) noexcept;
  // A job is given to the pool, or taken back before the pool has begun it.
  void job_is_given() noexcept { ++jobs_; }
  void job_is_taken_back() noexcept { --jobs_; }
  // On a thread of the pool, as the last thing done with the job there: its end is handled on the loop's thread.
  void job_has_ended(Work& work) noexcept;
  // Sets the scheduler's time to now, and notices a standstill.
  void update_time() noexcept;
  void end_step();

  static constexpr Duration standstill = std::chrono::milliseconds(200);
  static constexpr Duration patience = std::chrono::milliseconds(500);

 private:
  struct Handles;
  template <class T>
  static Task<void> keep_and_leave(Task<T> task, async::Ending<T>& ending, Loop& loop);
  void run_posted();
  void finish_jobs(Work* ended) noexcept;
  void wait_for_jobs() noexcept;
  void leave_run() noexcept;
  void notice_standstill(Time time) noexcept;
  void timer_is_due();
  void look_again() noexcept;
  void has_looked();
  void arm_timer(Time when);

  async::Scheduler scheduler_;
  BlockPool blocks_;
  std::unique_ptr<Handles> handles_;
  Time armed_for_ = Time::max();
  Time expected_at_ = Time::max();  // when the timer armed for that should call us
  Histogram* lag_ = nullptr;
  std::optional<Time> patient_until_;  // after a standstill
  bool has_collected_ = false;         // due timers, which fire when the loop has looked for events
  bool is_closing_ = false;
  // set on this thread (task done, posted function threw); stop_requested_ comes from stop()
  bool leave_requested_ = false;
  std::exception_ptr posted_error_;
  std::atomic<bool> stop_requested_ = false;
  WorkPool* const work_pool_;
  std::size_t jobs_ = 0;     // that the pool has, or that have ended and are not handled yet
  std::mutex posted_mutex_;  // guards what follows
  std::vector<std::function<void()>> posted_;
  Work* ended_jobs_ = nullptr;  // a list, the latest first; see Work::next_
  std::condition_variable job_ended_;
};

// Guard object for one libuv callback that may wake coroutines: one step of the loop's turn.
class Turn {
 public:
  explicit Turn(Loop& loop) noexcept : loop_(loop) { loop.update_time(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { loop_.end_step(); }

 private:
  Loop& loop_;
};

template <class T>
Task<void> Loop::keep_and_leave(Task<T> task, async::Ending<T>& ending, Loop& loop) {
  co_await async::keep(std::move(task), ending);
  loop.leave_run();
}

template <class T>
T Loop::run_until_done(Task<T> task) {
  async::Ending<T> ending;
  async::Nursery nursery(scheduler_);
  update_time();
  nursery.spawn(keep_and_leave(std::move(task), ending, *this));
  if (nursery.size() > 0) run();
  ensure(ending.has_come(), "Loop: stopped before its task was done");
  return ending.take();
}

}  // namespace sallyport::uv
