// Timers by the thousand: a hierarchical timing wheel of intrusive timers.
//
// Setting and clearing is a few nanoseconds and allocates nothing, because nearly every deadline is cleared before it
// is due. A timer fires at or after its time, at most one tick (4 ms) late; times further away than the wheel reaches
// (about 19 hours) wait in its last slot and are set again. The wheel reads no clock: its driver calls advance().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "gateway/async/intrusive_list.h"
#include "gateway/base/units.h"

namespace sallyport::async {

class TimerWheel;

// Derive from it, or use Deadline. Its destructor clears it.
class Timer : private ListNode {
 public:
  Timer() = default;
  virtual ~Timer() = default;
  bool is_set() const noexcept { return is_linked(); }
  Time when() const noexcept { return when_; }
  void clear() noexcept { unlink(); }

 protected:
  // Called by the wheel once the time has come; the timer is clear by then and may be set again, or destroyed. Throws
  // nothing.
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
  // Fires what is due. Timers set by what fires, for a time that has passed, fire at the next call.
  void advance(Time now);
  // No timer fires before this; nothing when none is set. It may be early (a slot is looked at), never late.
  std::optional<Time> next() const noexcept;
  // The earliest time that was set since this was asked last, cleared or not; Time::max() when none was. It tells a
  // driver whether its own alarm is still early enough, without a search through the wheel.
  Time take_earliest_set() noexcept { return std::exchange(earliest_set_, Time::max()); }

 private:
  static constexpr unsigned levels = 4;
  static constexpr unsigned slots = 64;
  static constexpr Duration tick = std::chrono::milliseconds(4);
  static constexpr std::uint64_t never = UINT64_MAX;

  std::uint64_t ticks_until(Time when) const noexcept;
  void place(Timer& timer) noexcept;
  void hand_down() noexcept;
  // The next tick at which something is due or handed down.
  std::uint64_t next_tick() const noexcept;

  Time start_;
  Time now_;
  Time earliest_set_ = Time::max();
  std::uint64_t reached_ = 0;  // the last tick that is not after now_
  std::uint64_t current_ = 0;  // the tick up to which everything has fired; behind reached_ only within advance()
  std::array<std::array<ListHead, slots>, levels> wheel_;
};

}  // namespace sallyport::async
