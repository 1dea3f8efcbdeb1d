// A wall clock that is set wrong, by little or by years, once or again and again (threats.md R8).
#include "gateway/state/clock_trust.h"

#include <gtest/gtest.h>

namespace sallyport::state {
namespace {

using namespace std::chrono_literals;

constexpr WallTime some_day{std::chrono::days(20000)};
constexpr Time start{5h};

TEST(ClockTrust, TrustsAClockThatRunsEvenly) {
  ClockTrust clock;
  for (auto passed = 0min; passed < std::chrono::days(40); passed += 30min) {
    EXPECT_TRUE(clock.may_expire(some_day + passed, start + passed, true));
  }
}

TEST(ClockTrust, AJumpInEitherDirectionSuspendsForADay) {
  for (const auto jump : std::initializer_list<std::chrono::hours>{2h, -2h, 24h * 365 * 10, -24h * 365 * 10}) {
    ClockTrust clock;
    EXPECT_TRUE(clock.may_expire(some_day, start, true));
    for (auto passed = 1h; passed < 25h; passed += 1h) {
      EXPECT_FALSE(clock.may_expire(some_day + jump + passed, start + passed, true)) << jump.count();
    }
    EXPECT_TRUE(clock.may_expire(some_day + jump + 26h, start + 26h, true));
  }
}

TEST(ClockTrust, AClockThatJumpsToAndFroIsNeverTrusted) {
  ClockTrust clock;
  EXPECT_TRUE(clock.may_expire(some_day, start, true));
  for (int i = 1; i < 500; ++i) {
    const auto jump = i % 2 == 0 ? 0h : 24h * 3650;
    EXPECT_FALSE(clock.may_expire(some_day + jump + i * 1h, start + i * 1h, true));
  }
}

TEST(ClockTrust, WhatDoesNotFitAtTheStartSuspends) {
  ClockTrust clock;
  EXPECT_FALSE(clock.may_expire(some_day, start, false));
  EXPECT_FALSE(clock.may_expire(some_day + 23h, start + 23h, true)) << "only the first counts";
  EXPECT_TRUE(clock.may_expire(some_day + 25h, start + 25h, false));
}

TEST(ClockTrust, FollowsOnWithinTwoDays) {
  for (const auto gone : {47h, -47h, 0h}) EXPECT_TRUE(follows_on(some_day + gone, some_day));
  for (const auto gone : {49h, 24h * 3650, -49h, -24h * 3650}) EXPECT_FALSE(follows_on(some_day + gone, some_day));
}

}  // namespace
}  // namespace sallyport::state
