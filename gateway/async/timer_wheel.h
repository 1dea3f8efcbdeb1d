// TimerWheel: thousands of timers at constant cost, as a hierarchical timing wheel of intrusive list nodes.
//
// Setting and clearing a timer takes a few nanoseconds and allocates nothing, because nearly every deadline is cleared
// before it is due. A timer fires at or after its time, at most one tick (4 ms) late, plus the time until the driver
// calls collect() and fire(). Timers further away than the wheel reaches (about 19 hours) wait in its last slot and are
// placed again from there. The wheel reads no clock.
//
// What is due fires in two steps, so that the driver can look for events between them: collect() finds it, and fire()
// fires what has been neither cleared nor set anew since. A timer that is set for a time already past is found by the
// next collect(), even at the same time: it too fires only after one more look for events.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "gateway/async/intrusive_list.h"
#include "gateway/base/units.h"

namespace sallyport::async {

class TimerWheel;

// Base class of everything that fires at a time. Its destructor clears it.
class Timer : private ListNode {
 public:
  Timer() = default;
  virtual ~Timer() = default;
  bool is_set() const noexcept { return is_linked(); }
  Time when() const noexcept { return when_; }
  void clear() noexcept { unlink(); }

 protected:
  // The wheel calls this once the time has come. The timer is clear by then; fired() may set it again or destroy it.
  // Must not throw.
  virtual void fired() = 0;

 private:
  friend class TimerWheel;
  Time when_{};
  std::uint64_t due_ = 0;  // the wheel's tick at which it fires
};

class TimerWheel {
 public:
  explicit TimerWheel(Time now) : start_(now), now_(now) {}

  void set(Timer& timer, Time when) noexcept;
  // Finds the timers that are due.
  void collect(Time now) noexcept;
  // Fires those that were found. What they set meanwhile is not among them.
  void fire();
  // Both at once.
  void advance(Time now);
  // When collect() has to be called next: no timer is due before this. May be too early (when timers only move to a
  // finer slot), never too late. Nothing when no timer is set.
  std::optional<Time> next() const noexcept;
  // The earliest time given to set() since the last call of this function, even if that timer has been cleared;
  // Time::max() if there was none. From it the driver sees, without searching the wheel, whether its own alarm is still
  // early enough.
  Time take_earliest_set() noexcept { return std::exchange(earliest_set_, Time::max()); }

 private:
  static constexpr unsigned levels = 4;
  static constexpr unsigned slots = 64;
  static constexpr Duration tick = std::chrono::milliseconds(4);
  static constexpr std::uint64_t never = UINT64_MAX;

  std::uint64_t ticks_until(Time when) const noexcept;
  void place(Timer& timer) noexcept;
  void hand_down() noexcept;
  // The next tick at which a timer is due or a slot of an upper level has to be handed down.
  std::uint64_t next_tick() const noexcept;

  Time start_;
  Time now_;
  Time earliest_set_ = Time::max();
  std::uint64_t reached_ = 0;  // the last tick that is not after now_
  std::uint64_t current_ = 0;  // the tick up to which everything was found; behind reached_ only within collect()
  ListHead overdue_;           // set for a time that was past
  ListHead due_;               // found, and not fired yet
  std::array<std::array<ListHead, slots>, levels> wheel_;
};

}  // namespace sallyport::async
