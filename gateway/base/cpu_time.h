// Measures the processor time of the calling thread, so that work caused by a peer's input can be stopped when it costs
// too much (threats.md D20).
#pragma once

#include "gateway/base/units.h"

namespace sallyport {

Duration thread_cpu_time();

// The type of thread_cpu_time(), so that tests can pass their own clock.
using CpuClock = Duration (*)();

}  // namespace sallyport
