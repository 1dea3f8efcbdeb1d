// BlockPool: the receive buffers of one loop, used by its thread only.
//
// A stream holds a block only while it has unconsumed input, so the pool grows to the loop's busiest moment and an idle
// session costs no block. Up to 4 MiB of free blocks of each size are kept, and half of them freed by each
// free_half(); under a sanitizer none, so that use after free is detected.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gateway/io/stream.h"

namespace sallyport::uv {

// The block size for a stream in the middle of a large message: a quarter of the system calls.
inline constexpr std::size_t bulk_block_octets = 4 * io::block_octets;

class BlockPool {
 public:
  struct Block {
    std::unique_ptr<char[]> octets;
    std::size_t capacity = 0;
    explicit operator bool() const noexcept { return octets != nullptr; }
  };

  // `capacity` is io::block_octets or bulk_block_octets. Gives an empty block when there is no memory.
  Block take(std::size_t capacity) noexcept;
  void give_back(Block block) noexcept;
  // Frees half of the blocks that are kept of each size, rounded up. Called now and then, it leaves after a busy moment
  // what is needed again and again, and nothing on a quiet day.
  void free_half() noexcept;
  // How many octets the blocks that are kept have.
  std::size_t kept_octets() const noexcept;
  // A buffer for received data that is thrown away; all streams that discard input share it.
  char* waste() noexcept { return waste_; }

 private:
  std::vector<std::unique_ptr<char[]>>& free_list(std::size_t capacity) noexcept;

  std::vector<std::unique_ptr<char[]>> free_;
  std::vector<std::unique_ptr<char[]>> free_bulk_;
  char waste_[io::block_octets];
};

}  // namespace sallyport::uv
