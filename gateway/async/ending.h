// Ending: the result of a task, or the exception it threw, kept until a driver takes it. Used by code that runs a loop
// from outside (uv::Loop::run_until_done(), the tests' ManualLoop).
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateway/async/task.h"
#include "gateway/base/ensure.h"

namespace sallyport::async {

template <class T>
class Ending {
 public:
  bool has_come() const noexcept { return value_.has_value() || error_; }
  // Returns the result, or throws the task's exception. Call it once, and only after has_come() is true.
  T take() {
    if (error_) std::rethrow_exception(error_);
    ensure(value_.has_value(), "Ending: the task has not ended");
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  template <class U>
  friend Task<void> keep(Task<U> task, Ending<U>& ending);

  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value_;
  std::exception_ptr error_;
};

// Awaits the task and stores its result or exception in `ending`; throws nothing itself. `ending` must outlive the
// coroutine.
template <class T>
Task<void> keep(Task<T> task, Ending<T>& ending) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      ending.value_ = true;
    } else {
      ending.value_.emplace(co_await std::move(task));
    }
  } catch (...) {
    ending.error_ = std::current_exception();
  }
}

}  // namespace sallyport::async
