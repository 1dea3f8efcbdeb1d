// Result<T, E>: a value, or the reason why there is none.
//
// For what happens on a normal day (peer gone, timeout, bad syntax); bugs use ensure.h. A Result converts to bool
// (true: a value) and is dereferenced like a pointer. value() without a value and error() without an error throw
// BrokenInvariant.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "gateway/base/ensure.h"

namespace sallyport {

// The value of a step that gives nothing but its success.
struct Done {
  friend bool operator==(Done, Done) = default;
};

// An error as a text for people: configuration, command line, start-up.
struct Failure {
  std::string message;
  friend bool operator==(const Failure&, const Failure&) = default;
};

template <class T, class E = Failure>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<T, E>, "a value and an error of one type cannot be told apart");

 public:
  using Value = T;
  using Error = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // implicit: `return value;`
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // and `return error;`

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return checked(*this); }
  const T& value() const& { return checked(*this); }
  T&& value() && { return std::move(checked(*this)); }
  T& operator*() & { return checked(*this); }
  const T& operator*() const& { return checked(*this); }
  T&& operator*() && { return std::move(checked(*this)); }
  T* operator->() { return &checked(*this); }
  const T* operator->() const { return &checked(*this); }

  const E& error() const& {
    ensure(!ok(), "Result: error() of a value");
    return std::get<1>(state_);
  }
  E&& error() && {
    ensure(!ok(), "Result: error() of a value");
    return std::move(std::get<1>(state_));
  }

  friend bool operator==(const Result&, const Result&) = default;

 private:
  template <class Self>
  static auto& checked(Self& self) {
    ensure(self.ok(), "Result: value of an error");
    return std::get<0>(self.state_);
  }

  std::variant<T, E> state_;
};

}  // namespace sallyport
