// How much processor time the calling thread has used: what a stranger's input costs is measured with it, and stopped
// when it is too much (threats.md D20).
#pragma once

#include "gateway/base/units.h"

namespace sallyport {

Duration thread_cpu_time();

// A clock as above, so that tests can have their own.
using CpuClock = Duration (*)();

// Adds up the time spent between start() and stop(): a coroutine stops it where it waits, as others use the thread
// then.
class CpuMeter {
 public:
  explicit CpuMeter(CpuClock clock) : clock_(clock), started_(clock()) {}

  void start() { started_ = clock_(); }
  void stop() { spent_ += clock_() - started_; }
  // While it runs.
  Duration spent() const { return spent_ + (clock_() - started_); }

 private:
  CpuClock clock_;
  Duration started_;
  Duration spent_{};
};

}  // namespace sallyport
