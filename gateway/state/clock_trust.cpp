#include "gateway/state/clock_trust.h"

#include <chrono>

namespace sallyport::state {

bool follows_on(WallTime wall, WallTime last_known) {
  return std::chrono::abs(wall - last_known) <= ClockTrust::most_absence;
}

bool ClockTrust::may_expire(WallTime wall, Time steady, bool is_plausible) {
  const Duration offset = std::chrono::duration_cast<Duration>(wall.time_since_epoch()) - steady.time_since_epoch();
  const bool is_even = offset_ ? std::chrono::abs(offset - *offset_) <= most_drift : is_plausible;
  offset_ = offset;
  if (!is_even) suspect_since_ = steady;
  if (suspect_since_ && steady - *suspect_since_ >= probation) suspect_since_.reset();
  return !suspect_since_;
}

}  // namespace sallyport::state
