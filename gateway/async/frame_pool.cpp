#include "gateway/async/frame_pool.h"

#include <array>
#include <new>

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

std::size_t free_half_of_kept_frames() noexcept {
  Pool* const pool = PerThread<Pool>::find();
  if (pool == nullptr) return 0;
  std::size_t left = 0;
  for (std::size_t size_class = 0; size_class < classes; ++size_class) {
    unsigned& kept = pool->kept[size_class];
    for (const unsigned wanted = kept / 2; kept > wanted; --kept) {
      FreeFrame* const frame = pool->free[size_class];
      pool->free[size_class] = frame->next;
      ::operator delete(frame);
    }
    left += kept;
  }
  return left;
}

#endif

}  // namespace sallyport::async
