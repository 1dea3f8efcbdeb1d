// on_worker(): runs a function on the threads of a WorkPool, so that long computations and files do not hold up the
// loop. The way to the pool and back costs about 20 us; it pays from about 300 us on.
//
// The job must own everything it works on: the coroutine that waits for it may be destroyed before the job has ended;
// its result is dropped then. What the job throws is thrown at the co_await.
//
// The threads are our own. libuv has a pool too, but starts it with the first job and ends the process by abort() where
// the system gives no thread; nothing here may use it (uv_queue_work, uv_fs_* with a callback, uv_getaddrinfo,
// uv_getnameinfo, uv_random with a callback).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/base/result.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

// How many threads a pool is to have: four, or what UV_THREADPOOL_SIZE of the environment says.
std::size_t threads_of_work_pool();

// The threads, all of them from the start to the end. Jobs begin in the order in which they were given; waiting ones
// take no memory but their own, so that giving one cannot fail.
//
// Of the threads that have nothing to do, the first gets the next job, in the order in which they were started. So one
// thread does all jobs that come one after the other, the same one for ever, and only its part of the heap grows to
// what such a job needs: the C library gives each thread a heap of its own, and keeps there what was freed. A thread
// counts as one that has nothing to do before the loop hears of its job's end, so that this holds for a job that
// follows at once.
class WorkPool {
 public:
  // The failure says why the system gives fewer threads than that; none is left over then. All signals are blocked in
  // them.
  static Result<std::unique_ptr<WorkPool>> start(std::size_t threads);
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  // After the loops that use it, which wait for their jobs.
  ~WorkPool();

  // -- for Work; from the loops' threads ------------------------------------------------------------------------------
  void give(Work& work) noexcept;
  // False: it has begun, or ended.
  bool take_back(Work& work) noexcept;

 private:
  // A thread without a job; it lies on the thread's own stack.
  struct Idle {
    std::size_t number;  // of the thread, from 0 in the order of their start
    std::condition_variable called = {};
    bool is_called = false;
    Idle* next = nullptr;
  };

  WorkPool() = default;
  void live(std::size_t number) noexcept;
  // Runs the first job and tells its loop; `self` is among the idle ones before that, unless more jobs wait.
  void do_one(std::unique_lock<std::mutex>& lock, Idle& self) noexcept;
  // These with mutex_ held; call_one() not only while the call is noted: the thread may end as soon as it can go on.
  void be_idle(Idle& self) noexcept;
  void call_one() noexcept;

  std::mutex mutex_;       // guards all but threads_
  Idle* idle_ = nullptr;   // a list in the order of their numbers
  Work* first_ = nullptr;  // the jobs that have not begun
  Work* last_ = nullptr;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

// One job. It deletes itself when both the pool and the coroutine that asked have finished with it.
class Work {
 public:
  explicit Work(Loop& loop);
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;

  // Queues the job. From then on it belongs to the pool and to the coroutine that asked.
  void start() noexcept;
  bool is_done() const noexcept { return is_done_; }
  async::Signal& news() noexcept { return news_; }
  // The coroutine that asked no longer needs it. A job that has not begun is taken back.
  void release() noexcept;

 protected:
  virtual void run() noexcept = 0;  // called on a thread of the pool

 private:
  friend class Loop;
  friend class WorkPool;

  void finish() noexcept;  // on the loop's thread, when run() has returned

  Loop& loop_;
  WorkPool& pool_;
  Work* next_ = nullptr;  // in the pool's queue, then in the loop's list of those that have ended
  async::Signal news_;
  bool is_done_ = false;
  bool is_released_ = false;
};

template <class Job>
class WorkFor final : public Work {
 public:
  using Value = std::invoke_result_t<Job&>;

  WorkFor(Loop& loop, Job job) : Work(loop), job_(std::move(job)) {}

  Value take() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }

 private:
  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Value>) {
        job_();
      } else {
        value_.emplace(job_());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  Job job_;
  std::optional<std::conditional_t<std::is_void_v<Value>, bool, Value>> value_;
  std::exception_ptr error_;
};

struct ReleaseWork {
  void operator()(Work* work) const noexcept { work->release(); }
};

template <class Job>
Task<std::invoke_result_t<Job&>> on_worker(Loop& loop, Job job) {
  auto made = std::make_unique<WorkFor<Job>>(loop, std::move(job));
  made->start();
  std::unique_ptr<WorkFor<Job>, ReleaseWork> work(made.release());
  while (!work->is_done()) co_await work->news().wait();
  co_return work->take();
}

}  // namespace sallyport::uv
