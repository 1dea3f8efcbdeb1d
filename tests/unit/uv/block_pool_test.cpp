#include "gateway/uv/block_pool.h"

#include <gtest/gtest.h>

namespace sallyport::uv {
namespace {

TEST(BlockPool, GivesBlocksOfTheSizeAskedFor) {
  BlockPool pool;
  for (std::size_t capacity : {io::block_octets, bulk_block_octets, io::block_octets}) {
    BlockPool::Block block = pool.take(capacity);
    ASSERT_TRUE(block);
    EXPECT_EQ(block.capacity, capacity);
    block.octets[capacity - 1] = 'x';
    pool.give_back(std::move(block));
  }
}

}  // namespace
}  // namespace sallyport::uv
