// Restarts: when a serving process that has ended is replaced (threats.md R10).
//
// One that served is replaced at once. When that happens again and again, or when a start fails, each further try waits
// twice as long, 30 s at most. After a minute of service all is forgotten.
#pragma once

#include <optional>

#include "gateway/base/units.h"

namespace sallyport::supervise {

class Restarts {
 public:
  // A process has ended. `served`: how long it was ready; nothing when it never was. Gives the time to wait now.
  Duration delay_after(std::optional<Duration> served);

 private:
  int deaths_ = 0;  // of processes that had served
  int failures_ = 0;
};

}  // namespace sallyport::supervise
