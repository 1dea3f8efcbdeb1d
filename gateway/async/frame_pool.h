// Coroutine frames from a free list per thread.
//
// A session makes and drops dozens of small frames per message; the general allocator would cost more than the steps
// themselves. Frames up to 2 KiB are kept by size class, at most 256 of each, so a burst does not pin memory for ever.
// Under a sanitizer every frame comes from the general allocator, so that use after free is seen.
#pragma once

#include <cstddef>

namespace sallyport::async {

void* allocate_frame(std::size_t octets);
void free_frame(void* frame, std::size_t octets) noexcept;

// Promise types inherit this to have their frames allocated here.
struct PooledFrame {
  static void* operator new(std::size_t octets) { return allocate_frame(octets); }
  static void operator delete(void* frame, std::size_t octets) noexcept { free_frame(frame, octets); }
};

}  // namespace sallyport::async
