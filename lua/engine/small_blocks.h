// SmallBlocks: small blocks that a Lua state has freed, kept for its next values. A run makes hundreds of them, and a
// collection frees them all at once, which is more than the C library keeps at hand.
//
// Bounded: what is beyond most_kept goes back to the C library. One system thread uses it at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace sallyport::lua {

class SmallBlocks {
 public:
  static constexpr std::size_t most_octets = 512;  // of a block

  SmallBlocks() = default;
  SmallBlocks(const SmallBlocks&) = delete;
  SmallBlocks& operator=(const SmallBlocks&) = delete;
  ~SmallBlocks() {
    for (Free* first : free_) {
      while (first != nullptr) std::free(std::exchange(first, first->next));
    }
  }

  // A block of at least so many octets, from 1 to most_octets; null: there is no memory.
  void* take(std::size_t octets) noexcept {
    Free*& first = free_[size_of(octets)];
    if (first == nullptr) return std::malloc((size_of(octets) + 1) * unit);
    kept_ -= (size_of(octets) + 1) * unit;
    return std::exchange(first, first->next);
  }
  std::size_t octets_kept() const noexcept { return kept_; }
  // Takes back a block that has at least the octets for which it was taken.
  void give(void* block, std::size_t octets) noexcept {
    const std::size_t size = (size_of(octets) + 1) * unit;
    if (!keeps || kept_ + size > most_kept) return std::free(block);
    kept_ += size;
    free_[size_of(octets)] = new (block) Free{free_[size_of(octets)]};
  }

 private:
  struct Free {
    Free* next;
  };
  // A checker of memory must see each block come and go.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  static constexpr bool keeps = false;
#else
  static constexpr bool keeps = true;
#endif
#else
  static constexpr bool keeps = true;
#endif
  static constexpr std::size_t unit = 16;
  static constexpr std::size_t most_kept = std::size_t{256} << 10;

  static std::size_t size_of(std::size_t octets) noexcept { return (octets - 1) / unit; }

  std::array<Free*, most_octets / unit> free_{};
  std::size_t kept_ = 0;
};

}  // namespace sallyport::lua
