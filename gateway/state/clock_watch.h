// ClockWatch: whether the wall clock is suspect at this moment (threats.md R8), for the whole process.
//
// A clock that has been set wrong makes signatures look expired, or made in the future. While it is suspect nothing is
// judged by it. It becomes suspect when it moves against the monotonic clock by more than an hour between two looks, or
// when the process starts at a time that cannot be; and is trusted again after it has run evenly for a day
// (clock_trust.h). Each time that it becomes suspect is counted and logged (`event=fault kind=clock_suspect`). Any
// thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/state/clock_trust.h"

namespace sallyport::state {

class ClockWatch {
 public:
  ClockWatch(Counters& counters, Log& log) : counters_(counters), log_(log) {}
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

  // Before the first look: the last time that this gateway is known to have run at. A start before that, or more than
  // a year after it, is suspect; so is one before this program was made.
  void remember(WallTime last_known);
  // Looks, and says whether the clock is suspect.
  bool is_suspect(WallTime wall, Time steady) noexcept;
  // The same by the clocks of this host. Of its monotonic clocks the one that goes on while the host is suspended.
  bool is_suspect_now() noexcept;

 private:
  bool is_plausible(WallTime wall) const;
  void tell(WallTime wall, Duration moved_by) noexcept;

  Counters& counters_;
  Log& log_;
  std::mutex mutex_;  // guards what follows
  WallTime last_known_;
  ClockTrust trust_;
  std::optional<Duration> offset_;  // of the wall clock against the monotonic one, at the last look
};

// The time of the last change of a file; the epoch when it cannot be had.
WallTime last_change_of(const std::string& path);

}  // namespace sallyport::state
