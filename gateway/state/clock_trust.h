// ClockTrust: whether the wall clock may be relied on for deleting what is old (threats.md R8).
//
// A clock that has been set wrong, by years perhaps, makes everything look old, and would delete what nobody can bring
// back. So nothing expires by a clock that has moved against the monotonic one, or that disagrees at the start with the
// last time that is known, until it has run evenly for a day. Then it is either right, or nobody has cared for a day.
//
// It reads no clock. One thread at a time.
#pragma once

#include <optional>

#include "gateway/base/units.h"

namespace sallyport::state {

class ClockTrust {
 public:
  static constexpr Duration probation = std::chrono::hours(24);
  static constexpr Duration most_drift = std::chrono::hours(1);     // against the monotonic clock, between two looks
  static constexpr Duration most_absence = std::chrono::hours(48);  // from the last known time to the start

  // True when the clock may be relied on at this moment. `is_plausible` counts for the first call only: whether the
  // wall time fits what was recorded before.
  bool may_expire(WallTime wall, Time steady, bool is_plausible);

 private:
  std::optional<Duration> offset_;  // of the wall clock against the monotonic one, at the last look
  std::optional<Time> suspect_since_;
};

// True when a program that starts at `wall` follows on one that recorded `last_known`.
bool follows_on(WallTime wall, WallTime last_known);

}  // namespace sallyport::state
