#include "gateway/uv/work_pool.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <system_error>

#include "gateway/base/blocked_signals.h"

namespace sallyport::uv {

namespace {

WorkPool& pool_of(Loop& loop) {
  ensure(loop.work_pool() != nullptr, "on_worker: this loop has no pool");
  return *loop.work_pool();
}

}  // namespace

std::size_t threads_of_work_pool() {
  constexpr int by_default = 4;
  constexpr int most = 1024;
  const char* const wanted = std::getenv("UV_THREADPOOL_SIZE");
  return static_cast<std::size_t>(wanted ? std::clamp(std::atoi(wanted), 1, most) : by_default);
}

Result<std::unique_ptr<WorkPool>> WorkPool::start(std::size_t threads) {
  std::unique_ptr<WorkPool> pool(new WorkPool);
  const BlockedSignals blocked;  // in the threads
  pool->threads_.reserve(threads);
  try {
    while (pool->threads_.size() < threads) {
      pool->threads_.emplace_back([pool = pool.get()] {
        ::pthread_setname_np(::pthread_self(), "work");
        pool->live();
      });
    }
  } catch (const std::system_error& error) {
    return Failure{error.code().message()};
  }
  return pool;
}

WorkPool::~WorkPool() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    while (idle_) call_one();
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkPool::call_one() noexcept {
  Idle& one = *std::exchange(idle_, idle_->below);
  one.is_called = true;
  one.called.notify_one();
}

void WorkPool::give(Work& work) noexcept {
  const std::lock_guard lock(mutex_);
  (first_ ? last_->next_ : first_) = &work;
  last_ = &work;
  if (idle_) call_one();
}

bool WorkPool::take_back(Work& work) noexcept {
  const std::lock_guard lock(mutex_);
  Work* before = nullptr;
  for (Work* one = first_; one; before = std::exchange(one, one->next_)) {
    if (one != &work) continue;
    (before ? before->next_ : first_) = one->next_;
    if (last_ == one) last_ = before;
    return true;
  }
  return false;
}

void WorkPool::live() noexcept {
  Idle self;
  std::unique_lock lock(mutex_);
  while (true) {
    if (first_) {
      Work& work = *first_;
      first_ = std::exchange(work.next_, nullptr);
      lock.unlock();
      work.run();
      work.loop_.job_has_ended(work);
      lock.lock();
    } else if (is_ending_) {
      return;
    } else {
      self.is_called = false;
      self.below = std::exchange(idle_, &self);
      self.called.wait(lock, [&self] { return self.is_called; });
    }
  }
}

Work::Work(Loop& loop) : loop_(loop), pool_(pool_of(loop)), news_(loop.scheduler()) {}

void Work::start() noexcept {
  loop_.job_is_given();
  pool_.give(*this);
}

void Work::release() noexcept {
  is_released_ = true;
  if (!is_done_) {
    if (!pool_.take_back(*this)) return;  // finish() follows
    loop_.job_is_taken_back();
  }
  delete this;
}

void Work::finish() noexcept {
  is_done_ = true;
  if (is_released_) {
    delete this;
  } else {
    news_.notify();
  }
}

}  // namespace sallyport::uv
