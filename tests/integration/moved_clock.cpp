// A preloaded wall clock that the test sets, for tests of the whole program. The monotonic clocks stay as they are.
//
// SALLYPORT_MOVED_CLOCK names a file of one 64-bit number that the test and the program share in memory: by how many
// seconds the clock is wrong. The test may change it at any time.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

std::atomic<const std::atomic<std::int64_t>*> moved_by = nullptr;

[[gnu::constructor]] void begin() {
  const char* path = std::getenv("SALLYPORT_MOVED_CLOCK");
  const int file = path ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* shared = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (shared != MAP_FAILED) moved_by = static_cast<const std::atomic<std::int64_t>*>(shared);
}

std::int64_t seconds_wrong() {
  const std::atomic<std::int64_t>* given = moved_by;
  return given ? given->load() : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) {
  const int code = static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += seconds_wrong();
  return code;
}

int gettimeofday(timeval* out, void*) {
  timespec now{};
  const int code = clock_gettime(CLOCK_REALTIME, &now);
  if (code == 0) *out = {now.tv_sec, now.tv_nsec / 1000};
  return code;
}

time_t time(time_t* out) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
}
