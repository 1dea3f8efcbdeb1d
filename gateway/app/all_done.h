// AllDone: waits on one loop until other threads have done what they were asked for, with what they share meanwhile.
//
//   AllDone<Failures> all_done(loop);
//   for (...) worker->take(orders, all_done.share());
//   const bool in_time = co_await all_done.wait(deadline);
//
// A share that is destroyed, on whichever thread, counts as done, so nobody who ends instead is waited for in vain.
// Shares, and what they share, may outlive this object and the loop. The destruction of the last one wakes who waits;
// where there is no memory to do so, wait() finds out by itself, within a fifth of a second.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>

#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

template <class Shared>
class AllDone {
 public:
  explicit AllDone(uv::Loop& loop)
      : scheduler_(loop.scheduler()),
        state_(std::make_shared<State>(loop)),
        own_share_(nullptr, [state = state_](void*) { State::tell(state); }) {}
  AllDone(const AllDone&) = delete;
  AllDone& operator=(const AllDone&) = delete;
  ~AllDone() {
    const std::lock_guard lock(state_->mutex);
    state_->loop = nullptr;
  }

  std::shared_ptr<Shared> share() const { return {own_share_, &state_->shared}; }
  // Others may still use it after a wait() that has come to its deadline.
  Shared& shared() const { return state_->shared; }
  // False: the deadline has come first. No share may be asked for afterwards.
  Task<bool> wait(Time deadline) {
    constexpr Duration looking_interval = std::chrono::milliseconds(200);
    own_share_.reset();
    while (!state_->is_over) {
      const Time next = std::min(deadline, scheduler_.now() + looking_interval);
      const bool is_told = co_await state_->done.wait(next) == async::Woken::notified;
      if (!is_told && next == deadline) break;
    }
    co_return state_->is_over;
  }

 private:
  struct State {
    explicit State(uv::Loop& of) : done(of.scheduler()), loop(&of) {}
    static void tell(const std::shared_ptr<State>& state) noexcept {
      const std::lock_guard lock(state->mutex);
      state->is_over = true;
      if (state->loop == nullptr) return;
      try {
        state->loop->post([state] { state->done.notify(); });
      } catch (const std::bad_alloc&) {
        // wait() looks at is_over now and then.
      }
    }
    async::Signal done;
    Shared shared{};
    std::atomic<bool> is_over = false;
    std::mutex mutex;  // for `loop`
    uv::Loop* loop;    // null when nobody waits any more
  };

  async::Scheduler& scheduler_;
  std::shared_ptr<State> state_;
  std::shared_ptr<void> own_share_;
};

}  // namespace sallyport::app
