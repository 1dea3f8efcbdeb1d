#include "lua/engine/small_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace sallyport::lua {
namespace {

struct Taken {
  void* block;
  std::size_t octets;
  int filled_with;
};

// Blocks overlap nobody's: each keeps what was written into all of its octets until it is given back.
TEST(SmallBlocks, EachBlockIsItsTakersAlone) {
  SmallBlocks blocks;
  std::mt19937 random(20261130);
  std::vector<Taken> taken;
  for (int i = 0; i < 20'000; ++i) {
    if (taken.size() < 100 || random() % 2 == 0) {
      const std::size_t octets = 1 + random() % SmallBlocks::most_octets;
      void* block = blocks.take(octets);
      ASSERT_NE(block, nullptr);
      std::memset(block, i % 256, octets);
      taken.push_back({block, octets, i % 256});
    } else {
      std::swap(taken[random() % taken.size()], taken.back());
      const Taken one = taken.back();
      taken.pop_back();
      for (std::size_t at = 0; at < one.octets; ++at)
        ASSERT_EQ(static_cast<unsigned char*>(one.block)[at], one.filled_with);
      // A block that was made smaller in place comes back with fewer octets than it was taken for.
      blocks.give(one.block, 1 + random() % one.octets);
    }
  }
  for (const Taken& one : taken) blocks.give(one.block, one.octets);
}

TEST(SmallBlocks, KeepsABoundedNumberOfOctets) {
  SmallBlocks blocks;
  std::vector<void*> taken;
  for (int i = 0; i < 10'000; ++i) taken.push_back(blocks.take(SmallBlocks::most_octets));
  for (void* block : taken) blocks.give(block, SmallBlocks::most_octets);
  EXPECT_LE(blocks.octets_kept(), std::size_t{1} << 20);
  const std::size_t before = blocks.octets_kept();
  void* again = blocks.take(SmallBlocks::most_octets);
  if (before > 0) {
    EXPECT_EQ(blocks.octets_kept(), before - SmallBlocks::most_octets) << "one that was kept";
  }
  blocks.give(again, SmallBlocks::most_octets);
  EXPECT_EQ(blocks.octets_kept(), before);
}

}  // namespace
}  // namespace sallyport::lua
