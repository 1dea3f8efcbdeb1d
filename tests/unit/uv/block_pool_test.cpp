#include "gateway/uv/block_pool.h"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/base/sanitizers.h"

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

TEST(BlockPool, AfterABusyMomentLittleIsKept) {
  if (has_sanitizers) GTEST_SKIP() << "blocks are not kept";
  BlockPool pool;
  for (const std::size_t capacity : {io::block_octets, bulk_block_octets}) {
    std::vector<BlockPool::Block> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(pool.take(capacity));
    for (BlockPool::Block& block : blocks) pool.give_back(std::move(block));
  }
  const std::size_t most = pool.kept_octets();
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 2u * 4 * 1024 * 1024);
  pool.free_half();
  EXPECT_EQ(pool.kept_octets(), most / 2);
  for (int i = 0; i < 10; ++i) pool.free_half();
  EXPECT_EQ(pool.kept_octets(), 0u);
  EXPECT_TRUE(pool.take(io::block_octets));
}

}  // namespace
}  // namespace sallyport::uv
