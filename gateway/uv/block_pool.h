// BlockPool: a loop's blocks for what was received and not consumed.
//
// A stream holds a block only while there is something in it, so the pool is as large as the loop's busiest moment and
// an idle session costs none. A few hundred free blocks are kept; under a sanitizer none, so that use after free is
// seen.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gateway/io/stream.h"

namespace sallyport::uv {

// For a stream in the middle of a large message: four times fewer system calls.
inline constexpr std::size_t bulk_block_octets = 4 * io::block_octets;

class BlockPool {
 public:
  struct Block {
    std::unique_ptr<char[]> octets;
    std::size_t capacity = 0;
    explicit operator bool() const noexcept { return octets != nullptr; }
  };

  // `capacity` is io::block_octets or bulk_block_octets. An empty block when there is no memory.
  Block take(std::size_t capacity) noexcept;
  void give_back(Block block) noexcept;
  // A place for what nobody will look at; shared by all who discard.
  char* waste() noexcept { return waste_; }

 private:
  std::vector<std::unique_ptr<char[]>>& free_list(std::size_t capacity) noexcept;

  std::vector<std::unique_ptr<char[]>> free_;
  std::vector<std::unique_ptr<char[]>> free_bulk_;
  char waste_[io::block_octets];
};

}  // namespace sallyport::uv
