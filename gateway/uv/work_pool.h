// Work that would hold up the loop for longer than a trip to another thread costs (20 us, so: from about 300 us on).
//
// The job runs on libuv's thread pool. It owns all it works on: the coroutine that asked may have been ended before the
// job has, and the result is dropped then. What the job throws is thrown at the co_await.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

// A job on its way through the pool; it lives until it has come back.
class Work {
 public:
  explicit Work(Loop& loop);
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work();

  // Puts it into the queue; from then on it belongs to the pool and its asker, and goes when both have done with it.
  void start();
  bool is_done() const noexcept { return is_done_; }
  async::Signal& news() noexcept { return news_; }
  // The asker has done with it. A job that has not begun never does.
  void release() noexcept;

 protected:
  virtual void run() noexcept = 0;  // on another thread

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
