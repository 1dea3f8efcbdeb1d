// How much processor time the calling thread has used: what a stranger's input costs is measured with it, and stopped
// when it is too much (threats.md D20).
#pragma once

#include "gateway/base/units.h"

namespace sallyport {

Duration thread_cpu_time();

// A clock as above, so that tests can have their own.
using CpuClock = Duration (*)();

// The time spent since it was made, for work that does not wait: others use the thread while a coroutine does. Asking
// it is a system call.
class CpuMeter {
 public:
  explicit CpuMeter(CpuClock clock) : clock_(clock), started_(clock()) {}

  Duration spent() const { return clock_() - started_; }

 private:
  CpuClock clock_;
  Duration started_;
};

}  // namespace sallyport
