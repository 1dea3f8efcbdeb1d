// Measures the processor time of the calling thread, so that work caused by a peer's input can be stopped when it costs
// too much (threats.md D20).
#pragma once

#include "gateway/base/units.h"

namespace sallyport {

Duration thread_cpu_time();

// The type of thread_cpu_time(), so that tests can pass their own clock.
using CpuClock = Duration (*)();

// Measures the processor time since its construction. Only for work that does not suspend: while a coroutine waits,
// others use the thread. spent() is a system call.
class CpuMeter {
 public:
  explicit CpuMeter(CpuClock clock) : clock_(clock), started_(clock()) {}

  Duration spent() const { return clock_() - started_; }

 private:
  CpuClock clock_;
  Duration started_;
};

}  // namespace sallyport
