#include "gateway/base/heap.h"

#include <malloc.h>

#include "gateway/base/cpu_time.h"

namespace sallyport {

namespace {

// Larger blocks come from the system one by one, and go back to it when they are freed. Unless this is set, each such
// block that is freed raises the bound to its own size, up to 32 MiB, and the next ones of that size leave holes in the
// heap for good: one large mail or list would decide what the process keeps. What a mail usually needs is smaller.
constexpr int block_of_its_own = 512 * 1024;

// So much may lie free at a heap's end. Unless this is set, it follows the bound above, and 64 MiB may lie there.
constexpr int free_at_the_end = 512 * 1024;

}  // namespace

void settle_heap() noexcept {
  ::mallopt(M_MMAP_THRESHOLD, block_of_its_own);
  ::mallopt(M_TRIM_THRESHOLD, free_at_the_end);
}

Duration trim_heap() {
  const Duration begun = thread_cpu_time();
  ::malloc_trim(0);
  return thread_cpu_time() - begun;
}

}  // namespace sallyport
