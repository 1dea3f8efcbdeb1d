#include "gateway/resolver/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "gateway/resolver/entropy.h"

namespace sallyport::resolver {
namespace {

TEST(KeyedHash, DependsOnNameTypeAndKey) {
  KeyedHash hash(1, 2);
  dns::Question question{"mail.example.org", dns::Type::A};
  EXPECT_EQ(hash(question), hash(question));
  EXPECT_NE(hash(question), hash({"mail.example.org", dns::Type::AAAA}));
  EXPECT_NE(hash(question), hash({"mail.example.orh", dns::Type::A}));
  EXPECT_NE(hash(question), KeyedHash(1, 3)(question));
  EXPECT_NE(hash(question), KeyedHash(2, 2)(question));
}

TEST(KeyedHash, NamesOfEveryLengthDiffer) {
  KeyedHash hash(3, 4);
  std::set<std::uint64_t> seen;
  for (std::size_t length = 0; length < 254; ++length) seen.insert(hash({std::string(length, '\0'), dns::Type::A}));
  EXPECT_EQ(seen.size(), 254u);
}

TEST(Entropy, DoesNotRepeatItself) {
  Entropy entropy;
  std::set<std::uint64_t> seen;
  for (int n = 0; n < 1000; ++n) seen.insert(entropy.next());
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace sallyport::resolver
