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
      pool->threads_.emplace_back([pool = pool.get(), number = pool->threads_.size()] {
        ::pthread_setname_np(::pthread_self(), "work");
        pool->live(number);
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

void WorkPool::be_idle(Idle& self) noexcept {
  self.is_called = false;
  Idle** place = &idle_;
  while (*place != nullptr && (*place)->number < self.number) place = &(*place)->next;
  self.next = std::exchange(*place, &self);
}

void WorkPool::call_one() noexcept {
  Idle& one = *std::exchange(idle_, idle_->next);
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

// A thread becomes idle only while no job waits, and whoever gives a job calls an idle thread: so no job is left lying.
// A thread that was called may find that one which was busy has taken the job; then it becomes idle again.
void WorkPool::live(std::size_t number) noexcept {
  Idle self{number};
  self.is_called = true;  // as it is not among the idle ones
  std::unique_lock lock(mutex_);
  while (true) {
    if (first_) {
      do_one(lock, self);
    } else if (is_ending_) {
      return;
    } else {
      be_idle(self);
    }
    self.called.wait(lock, [&self] { return self.is_called; });
  }
}

void WorkPool::do_one(std::unique_lock<std::mutex>& lock, Idle& self) noexcept {
  Work& work = *first_;
  first_ = std::exchange(work.next_, nullptr);
  lock.unlock();
  work.run();
  lock.lock();
  if (!first_) be_idle(self);
  lock.unlock();
  work.loop_.job_has_ended(work);  // it may be deleted from here on
  lock.lock();
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
