// The wall clock, for dates that people read (Received:, the log). Deadlines use the scheduler's monotonic time
// instead. Any thread.
#pragma once

#include "gateway/base/units.h"

namespace sallyport::io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  // True while the clock is known to have been set wrong, or at times that nobody can tell right from wrong: nothing
  // may be taken for expired, or for made in the future, by it (threats.md R8).
  virtual bool is_suspect() const { return false; }
};

}  // namespace sallyport::io
