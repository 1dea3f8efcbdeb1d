#include "gateway/async/frame_pool.h"

#include <algorithm>
#include <array>
#include <functional>
#include <new>
#include <utility>

#include "gateway/async/kept_frames.h"
#include "gateway/base/per_thread.h"
#include "gateway/base/sanitizers.h"

namespace sallyport::async {

#ifdef SALLYPORT_HAS_SANITIZERS

void* allocate_frame(std::size_t octets) { return ::operator new(octets); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
std::size_t free_half_of_kept_frames() noexcept { return 0; }

#else

namespace {

constexpr std::size_t class_octets = 64;
constexpr std::size_t classes = 64;  // up to 4 KiB
constexpr unsigned kept_per_class = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  std::array<FreeFrame*, classes> free{};
  std::array<unsigned, classes> kept{};

  ~Pool() {
    for (FreeFrame*& list : free) {
      while (list) {
        FreeFrame* frame = list;
        list = frame->next;
        ::operator delete(frame);
      }
    }
  }
};

std::size_t class_of(std::size_t octets) { return (octets - 1) / class_octets; }

}  // namespace

void* allocate_frame(std::size_t octets) {
  std::size_t size_class = class_of(octets);
  if (size_class >= classes) return ::operator new(octets);
  Pool& pool = PerThread<Pool>::get();
  if (FreeFrame* frame = pool.free[size_class]) {
    pool.free[size_class] = frame->next;
    --pool.kept[size_class];
    return frame;
  }
  return ::operator new((size_class + 1) * class_octets);
}

void free_frame(void* frame, std::size_t octets) noexcept {
  std::size_t size_class = class_of(octets);
  Pool* const pool = size_class < classes ? PerThread<Pool>::find() : nullptr;
  if (pool == nullptr || pool->kept[size_class] >= kept_per_class) {
    ::operator delete(frame);
    return;
  }
  pool->free[size_class] = new (frame) FreeFrame{pool->free[size_class]};
  ++pool->kept[size_class];
}

// The frames of a burst lie all over the heap. Those at the lowest addresses are kept and used first, or a few frames
// in many places would hold a page each, for good, and large blocks would find no room between them.
std::size_t free_half_of_kept_frames() noexcept {
  Pool* const pool = PerThread<Pool>::find();
  if (pool == nullptr) return 0;
  std::size_t left = 0;
  std::array<FreeFrame*, kept_per_class> frames;
  for (std::size_t size_class = 0; size_class < classes; ++size_class) {
    unsigned& kept = pool->kept[size_class];
    FreeFrame*& list = pool->free[size_class];
    for (unsigned i = 0; i < kept; ++i) frames[i] = std::exchange(list, list->next);
    std::sort(frames.begin(), frames.begin() + kept, std::less<>());
    for (const unsigned wanted = kept / 2; kept > wanted; --kept) ::operator delete(frames[kept - 1]);
    for (unsigned i = kept; i > 0; --i) {
      frames[i - 1]->next = list;
      list = frames[i - 1];
    }
    left += kept;
  }
  return left;
}

#endif

}  // namespace sallyport::async
