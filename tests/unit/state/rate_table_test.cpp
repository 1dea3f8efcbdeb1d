// The embedded rate store: keys, forgetting, a full table, many threads.
#include "gateway/state/rate_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/ensure.h"
#include "tests/support/manual_loop.h"

namespace sallyport::state {
namespace {

using namespace std::chrono_literals;

class RateTableTest : public testing::Test {
 protected:
  RateTable make(std::size_t max_entries, std::size_t shards = 1) {
    return RateTable({max_entries, shards, HashKey{1, 2}}, [this] { return now_; });
  }

  Time now_{1h};
};

TEST_F(RateTableTest, CountsEachKeyByItself) {
  RateTable table = make(1000, 8);
  const Rate rate{2, 1min, 2};
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  const auto refused = table.take_now("a", rate);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 30s);
  EXPECT_TRUE(table.take_now("b", rate).allowed);
  now_ += 30s;
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  EXPECT_FALSE(table.take_now("a", rate).allowed);
}

TEST_F(RateTableTest, AnswersCoroutinesAtOnce) {
  RateTable table = make(1000);
  support::ManualLoop loop;
  const Rate rate{1, 1min, 1};
  EXPECT_TRUE(loop.run_until_done(table.take("a", rate)).allowed);
  const auto refused = loop.run_until_done(table.take("a", rate));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 1min);
}

TEST_F(RateTableTest, TakesBackAndGivesNoMoreThanThereWas) {
  RateTable table = make(1000);
  const Rate rate{2, 1min, 2};
  table.give_back("never seen", rate);
  EXPECT_EQ(table.size(), 0u);
  table.take_now("a", rate);
  table.take_now("a", rate);
  table.give_back("a", rate);
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  EXPECT_FALSE(table.take_now("a", rate).allowed);
  for (int i = 0; i < 5; ++i) table.give_back("a", rate);
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  EXPECT_TRUE(table.take_now("a", rate).allowed);
  EXPECT_FALSE(table.take_now("a", rate).allowed) << "five were given back, two had been taken";
  table.give_back("a", Rate{0, 1min, 0});
}

TEST_F(RateTableTest, ForgetsInOrderWhatWasGivenBack) {
  RateTable table = make(1000);
  const Rate slow{1, 1h, 1};
  for (int i = 0; i < 100; ++i) table.take_now("key" + std::to_string(i), slow);
  for (int i = 0; i < 100; i += 2) table.give_back("key" + std::to_string(i), slow);
  now_ += 1s;
  for (int i = 0; i < 100; ++i) table.take_now("key1", slow);
  EXPECT_EQ(table.size(), 50u);
}

TEST_F(RateTableTest, ForgetsKeysThatAreIdle) {
  RateTable table = make(10000);
  const Rate rate{60, 1min, 5};
  for (int i = 0; i < 1000; ++i) table.take_now("key" + std::to_string(i), rate);
  EXPECT_EQ(table.size(), 1000u);
  now_ += 2s;
  for (int i = 0; i < 1000; ++i) table.take_now("other" + std::to_string(i % 10), rate);
  EXPECT_LE(table.size(), 10u);
}

TEST_F(RateTableTest, RemembersNothingOfWhatItRefuses) {
  RateTable table = make(1000);
  table.take_now("a", Rate{0, 1min, 1});
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(RateTableTest, NeverHoldsMoreThanItsBound) {
  RateTable table = make(128, 4);
  const Rate rate{1, 1h, 3};
  for (int i = 0; i < 10000; ++i) table.take_now("key" + std::to_string(i), rate);
  EXPECT_LE(table.size(), 128u);
}

TEST_F(RateTableTest, IsNotEmptiedOfLimitedKeysByAFloodOfNewOnes) {
  RateTable table = make(100);
  const Rate rate{60, 1min, 10};
  for (int key = 0; key < 50; ++key) {
    for (int i = 0; i < 11; ++i) table.take_now("limited" + std::to_string(key), rate);
  }
  for (int i = 0; i < 100000; ++i) table.take_now("flood" + std::to_string(i), rate);
  for (int key = 0; key < 50; ++key) {
    EXPECT_FALSE(table.take_now("limited" + std::to_string(key), rate).allowed) << key;
  }
}

TEST_F(RateTableTest, PushesOutIdleKeysBeforeLimitedOnes) {
  RateTable table = make(4);
  table.take_now("idle1", Rate{60, 1min, 1});
  table.take_now("idle2", Rate{60, 1min, 1});
  const Rate slow{1, 1h, 1};
  table.take_now("limited1", slow);
  table.take_now("limited2", slow);
  ASSERT_EQ(table.size(), 4u);
  now_ += 2s;  // the first two are idle now
  table.take_now("new1", slow);
  table.take_now("new2", slow);
  for (const char* key : {"limited1", "limited2", "new1", "new2"})
    EXPECT_FALSE(table.take_now(key, slow).allowed) << key;
}

// The order of forgetting against the plain definition, over many keys with different rates.
TEST_F(RateTableTest, KeepsTheKeysThatAreLimitedLongest) {
  RateTable table = make(64);
  std::uint32_t state = 7;
  for (int i = 0; i < 5000; ++i) {
    state = state * 1664525 + 1013904223;
    const std::uint64_t seconds = 1 + (state >> 16) % 1000;
    const auto per = Duration(std::chrono::seconds(seconds));
    table.take_now("key" + std::to_string(seconds), Rate{1, per, 1});
  }
  // No time has passed: the 64 longest are held, and each is limited.
  for (int seconds = 1000; seconds > 1000 - 60; --seconds) {
    const auto answer = table.take_now("key" + std::to_string(seconds), Rate{1, std::chrono::seconds(seconds), 1});
    EXPECT_FALSE(answer.allowed) << seconds;
  }
}

TEST(RateTable, AllowsNoMoreThanTheBurstHoweverManyThreadsAsk) {
  RateTable table({1u << 12, 16, HashKey{3, 4}}, [] { return Time{1h}; });
  const Rate rate{1, 1h, 100};
  std::atomic<int> allowed{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&table, &rate, &allowed, worker] {
      for (int i = 0; i < 2000; ++i) {
        if (table.take_now("shared", rate).allowed) allowed.fetch_add(1);
        table.take_now("own" + std::to_string(worker) + "." + std::to_string(i), rate);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(allowed.load(), 100);
  EXPECT_LE(table.size(), std::size_t{1} << 12);
}

TEST(RateTable, RefusesToBeMadeTooSmall) { EXPECT_THROW(RateTable({10, 16, {}}, steady_now), BrokenInvariant); }

TEST(SteadyNow, DoesNotGoBack) {
  const Time before = steady_now();
  EXPECT_LE(before, steady_now());
}

}  // namespace
}  // namespace sallyport::state
