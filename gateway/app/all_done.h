// AllDone: waits on one loop until other threads have done what they were asked for, with what they share meanwhile.
//
//   AllDone<Failures> all_done(loop);
//   for (...) worker->take(orders, all_done.share());
//   const bool in_time = co_await all_done.wait(deadline);
//
// A share that is destroyed, on whichever thread, counts as done, so nobody who ends instead is waited for in vain.
// Shares, and what they share, may outlive this object and the loop.
#pragma once

#include <memory>
#include <mutex>

#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

template <class Shared>
class AllDone {
 public:
  explicit AllDone(uv::Loop& loop)
      : state_(std::make_shared<State>(loop)), own_share_(nullptr, [state = state_](void*) { State::tell(state); }) {}
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
    own_share_.reset();
    co_return co_await state_->done.wait(deadline) == async::Woken::notified;
  }

 private:
  struct State {
    explicit State(uv::Loop& of) : done(of.scheduler()), loop(&of) {}
    static void tell(const std::shared_ptr<State>& state) {
      const std::lock_guard lock(state->mutex);
      if (state->loop != nullptr) state->loop->post([state] { state->done.notify(); });
    }
    async::Signal done;
    Shared shared{};
    std::mutex mutex;  // for `loop`
    uv::Loop* loop;    // null when nobody waits any more
  };

  std::shared_ptr<State> state_;
  std::shared_ptr<void> own_share_;
};

}  // namespace sallyport::app
