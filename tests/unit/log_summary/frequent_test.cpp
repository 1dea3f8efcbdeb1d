// The most frequent texts are found in bounded memory, among as many others as somebody likes to send.
#include "gateway/log_summary/frequent.h"

#include <gtest/gtest.h>

namespace sallyport::log_summary {
namespace {

TEST(Frequent, CountsFewExactly) {
  Frequent frequent(10);
  frequent.add("a");
  frequent.add("b", 3);
  frequent.add("a");
  frequent.add("nothing", 0);
  const auto top = frequent.top(10);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].name, "b");
  EXPECT_EQ(top[0].count, 3u);
  EXPECT_EQ(top[1].count, 2u);
  EXPECT_EQ(frequent.missing(), 0u);
  EXPECT_EQ(frequent.top(1).size(), 1u);
}

TEST(Frequent, EquallyFrequentOnesStandInTheirOwnOrder) {
  Frequent frequent(10);
  for (const char* name : {"c", "a", "b"}) frequent.add(name);
  const auto top = frequent.top(3);
  EXPECT_EQ(top[0].name + top[1].name + top[2].name, "abc");
}

TEST(Frequent, AFloodOfOthersFillsNoMemoryAndHidesNothing) {
  constexpr std::size_t capacity = 100;
  Frequent frequent(capacity);
  constexpr std::uint64_t heavy = 20000;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    frequent.add("stranger" + std::to_string(i));
    if (i % 5 == 0) frequent.add("heavy");
    ASSERT_LT(frequent.size(), 2 * capacity);
  }
  const auto top = frequent.top(1);
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(top[0].name, "heavy");
  EXPECT_LE(top[0].count, heavy);
  EXPECT_GE(top[0].count + frequent.missing(), heavy);
}

TEST(Frequent, LongTextsAreCut) {
  Frequent frequent(10);
  frequent.add(std::string(5000, 'x'));
  EXPECT_EQ(frequent.top(1)[0].name.size(), 256u);
}

}  // namespace
}  // namespace sallyport::log_summary
