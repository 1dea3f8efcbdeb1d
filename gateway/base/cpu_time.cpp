#include "gateway/base/cpu_time.h"

#include <ctime>

#include "gateway/base/ensure.h"

namespace sallyport {

Duration thread_cpu_time() {
  timespec time{};
  ensure(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0, "thread_cpu_time: no such clock");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace sallyport
