// A preloaded malloc that fails on order, for tests of the whole program.
//
// SALLYPORT_FAILING_MALLOC names a file of four 64-bit numbers that the test and the program share in memory: fail
// each so manieth allocation (0: none), how many there were since, how many of them failed, and the first eight octets
// of the name of the threads whose allocations count (0: all). The test may change the first and the last at any time.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

struct Orders {
  std::atomic<std::uint64_t> every;
  std::atomic<std::uint64_t> asked;
  std::atomic<std::uint64_t> failed;
  std::atomic<std::uint64_t> thread;
};

std::atomic<Orders*> orders = nullptr;

[[gnu::constructor]] void begin() {
  const char* path = std::getenv("SALLYPORT_FAILING_MALLOC");
  int file = path ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* shared = ::mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (shared != MAP_FAILED) orders = static_cast<Orders*>(shared);
}

bool is_meant(std::uint64_t thread) {
  if (thread == 0) return true;
  std::uint64_t name[2] = {};  // 16 octets
  ::prctl(PR_GET_NAME, name);
  return name[0] == thread;
}

bool fails() {
  Orders* given = orders;
  std::uint64_t every = given ? given->every.load() : 0;
  if (every == 0 || !is_meant(given->thread) || ++given->asked % every != 0) return false;
  ++given->failed;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

// What glibc calls its own.
void* __libc_malloc(std::size_t octets);
void* __libc_calloc(std::size_t count, std::size_t octets);
void* __libc_realloc(void* block, std::size_t octets);

void* malloc(std::size_t octets) { return fails() ? nullptr : __libc_malloc(octets); }
void* calloc(std::size_t count, std::size_t octets) { return fails() ? nullptr : __libc_calloc(count, octets); }
void* realloc(void* block, std::size_t octets) { return fails() ? nullptr : __libc_realloc(block, octets); }
}
