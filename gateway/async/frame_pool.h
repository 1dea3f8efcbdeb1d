// Memory for coroutine frames, from a free list per thread.
//
// A session creates and destroys dozens of small frames per message; the general allocator would cost more than the
// steps themselves. Frames of up to 4 KiB are kept for reuse by size class (64 octets wide), at most 256 of each class,
// so that a burst does not hold memory for ever. Larger frames come from the general allocator. Under a sanitizer every
// frame does, so that use after free is detected.
#pragma once

#include <cstddef>

namespace sallyport::async {

void* allocate_frame(std::size_t octets);
void free_frame(void* frame, std::size_t octets) noexcept;

// Promise types inherit from this; their coroutine frames are then allocated here.
struct PooledFrame {
  static void* operator new(std::size_t octets) { return allocate_frame(octets); }
  static void operator delete(void* frame, std::size_t octets) noexcept { free_frame(frame, octets); }
};

}  // namespace sallyport::async
