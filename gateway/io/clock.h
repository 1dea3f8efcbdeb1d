// The wall clock, for dates people read (Received:, the log). Deadlines use the scheduler's monotonic time instead.
#pragma once

#include "gateway/base/units.h"

namespace sallyport::io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
};

}  // namespace sallyport::io
