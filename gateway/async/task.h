// Task<T>: a coroutine that gives a T to the one coroutine that awaits it.
//
// Lazy: it starts when it is awaited (or given to a Nursery). Move-only. It owns its frame: destroying a Task that
// waits destroys its frame where it stands, and every awaiter's destructor removes it from the queue or timer that
// would have resumed it. What the coroutine throws is thrown at the parent's co_await. A task stays on one thread.
//
// Starting a child must not depend on tail calls: not every compiler makes them in every build, and a loop over
// children that complete at once would exhaust the stack. Therefore the awaiter resumes the child as an ordinary call
// and checks afterwards whether the child has finished.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "gateway/async/frame_pool.h"
#include "gateway/base/ensure.h"

namespace sallyport::async {

template <class T = void>
class [[nodiscard]] Task;

namespace detail {

struct PromiseBase : PooledFrame {
  enum class State : unsigned char { Lazy, Starting, Waiting, Finished };

  std::coroutine_handle<> parent;
  State state = State::Lazy;

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> child) const noexcept {
      PromiseBase& promise = child.promise();
      bool starting = promise.state == State::Starting;
      promise.state = State::Finished;
      // We are still inside the parent's await_suspend(), which sees State::Finished and lets the parent continue.
      if (starting) return std::noop_coroutine();
      return promise.parent;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
};

template <class T>
struct Promise : PromiseBase {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    outcome.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(outcome));
    ensure(outcome.index() == 1, "Task: awaited result is not there");
    return std::move(std::get<1>(outcome));
  }
};

template <>
struct Promise<void> : PromiseBase {
  std::exception_ptr error;

  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Value = T;

  Task() noexcept = default;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  explicit operator bool() const noexcept { return frame_ != nullptr; }
  // Destroys the coroutine where it waits.
  void reset() noexcept {
    if (auto frame = std::exchange(frame_, nullptr)) frame.destroy();
  }

  auto operator co_await() & = delete;  // a task is awaited once: co_await std::move(task)
  auto operator co_await() && {
    ensure(frame_ && frame_.promise().state == detail::PromiseBase::State::Lazy, "Task: empty, or awaited before");
    return Awaiter{frame_};
  }

 private:
  struct Awaiter {
    std::coroutine_handle<promise_type> child;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) const noexcept {
      auto& promise = child.promise();
      promise.parent = parent;
      promise.state = detail::PromiseBase::State::Starting;
      child.resume();
      // the parent continues without suspending
      if (promise.state == detail::PromiseBase::State::Finished) return false;
      promise.state = detail::PromiseBase::State::Waiting;
      return true;
    }
    T await_resume() const { return child.promise().take(); }
  };

  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace detail

}  // namespace sallyport::async

namespace sallyport {
using async::Task;  // every folder uses it, so it needs no qualification
}
