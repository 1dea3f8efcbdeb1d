// The wall clock, for dates that people read (Received:, the log). Deadlines use the scheduler's monotonic time
// instead. Any thread.
#pragma once

#include "gateway/base/units.h"

namespace sallyport::io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
};

}  // namespace sallyport::io
