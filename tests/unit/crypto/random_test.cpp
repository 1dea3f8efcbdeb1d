#include "gateway/crypto/random.h"

#include <gtest/gtest.h>

#include <set>

namespace sallyport::crypto {
namespace {

TEST(RandomOctets, AreAsManyAsWanted) {
  EXPECT_EQ(random_octets(0), "");
  EXPECT_EQ(random_octets(1).size(), 1u);
  EXPECT_EQ(random_octets(1000).size(), 1000u);
}

TEST(RandomOctets, AreNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random_octets(16)).second);
}

TEST(RandomOctets, TakeAllValues) {
  std::set<char> seen;
  for (char octet : random_octets(100'000)) seen.insert(octet);
  EXPECT_EQ(seen.size(), 256u);
}

}  // namespace
}  // namespace sallyport::crypto
