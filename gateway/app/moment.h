// Moment: when a report for people is made. The loops' clock says how long ago something was; this says when.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/base/units.h"

namespace sallyport::app {

struct Moment {
  Time now{};
  WallTime wall_now{};
  Time started{};  // of the daemon: states without a beginning of their own hold since then

  // A time of the loops' clock as seconds since 1970; for Time{}, those of `started`.
  std::int64_t seconds_of(Time since) const {
    const Time begun = since == Time{} ? started : since;
    const WallTime at = wall_now - std::chrono::duration_cast<WallTime::duration>(now - begun);
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  }
};

}  // namespace sallyport::app
