#include "gateway/base/id.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace sallyport {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

system_clock::time_point at_ms(std::int64_t ms) { return system_clock::time_point(milliseconds(ms)); }

TEST(Id, IsSixteenCharactersOfCrockford) {
  IdSource ids(1);
  std::string id = ids.next(at_ms(1'795'384'529'123));
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos) << id;
}

TEST(Id, BeginsWithItsTime) {
  // The first eight characters are the upper 40 of the 42 bits of milliseconds.
  // bit 22.
  EXPECT_EQ(IdSource(7).next(at_ms(0)).substr(0, 8), "00000000");
  EXPECT_EQ(IdSource(7).next(at_ms(4)).substr(0, 8), "00000001");
  EXPECT_EQ(IdSource(7).next(at_ms((std::int64_t{1} << 42) - 1)).substr(0, 8), "ZZZZZZZZ");
}

TEST(Id, SortsByTime) {
  IdSource a(random_seed()), b(random_seed());
  std::string earlier = a.next(at_ms(1'795'384'529'123));
  for (std::int64_t later : {1, 2, 5, 1000, 86'400'000}) {
    std::string id = b.next(at_ms(1'795'384'529'123 + later));
    EXPECT_LT(earlier, id);
    earlier = id;
  }
}

TEST(Id, IsNeverRepeatedWithinAMillisecond) {
  IdSource ids(42);
  std::set<std::string> seen;
  for (int i = 0; i < 100'000; ++i) EXPECT_TRUE(seen.insert(ids.next(at_ms(5))).second);
}

TEST(Id, SurvivesAClockSetBack) {
  IdSource ids(42);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(ids.next(at_ms(1000 - i % 7))).second);
  EXPECT_EQ(ids.next(at_ms(-5000)).size(), 16u);
}

TEST(Id, SourcesOfOtherSeedsGiveOtherIds) {
  std::set<std::string> seen;
  for (std::uint64_t worker = 0; worker < 64; ++worker) {
    IdSource ids(random_seed());
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(ids.next(at_ms(5))).second);
  }
}

TEST(RandomSeed, Differs) { EXPECT_NE(random_seed(), random_seed()); }

}  // namespace
}  // namespace sallyport
