// on_worker(): runs a function on libuv's thread pool, so that long computations do not hold up the loop. The way to
// the pool and back costs about 20 us; it pays from about 300 us on.
//
// The job must own everything it works on: the coroutine that waits for it may be destroyed before the job has ended;
// its result is dropped then. What the job throws is thrown at the co_await.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

// How many threads the pool has: libuv's four, or what UV_THREADPOOL_SIZE of the environment says.
std::size_t threads_of_work_pool();
// Starts the pool's threads, which otherwise happens with the first job. libuv ends the process when it gets no thread:
// so the start calls this right after it has seen that there are enough.
void start_work_pool();

// One job. It deletes itself when both the pool and the coroutine that asked have finished with it.
class Work {
 public:
  explicit Work(Loop& loop);
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work();

  // Queues the job. From then on it belongs to the pool and to the coroutine that asked.
  void start();
  bool is_done() const noexcept { return is_done_; }
  async::Signal& news() noexcept { return news_; }
  // The coroutine that asked no longer needs it. A job that has not begun is cancelled.
  void release() noexcept;

 protected:
  virtual void run() noexcept = 0;  // called on a thread of the pool

 private:
  struct Request;
  Loop& loop_;
  std::unique_ptr<Request> request_;
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
