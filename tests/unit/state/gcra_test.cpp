// The rate algorithm itself.
#include "gateway/state/gcra.h"

#include <gtest/gtest.h>

namespace sallyport::state {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1h};

TEST(Gcra, FollowsThePublishedExample) {
  struct Step {
    Duration at;
    bool allowed;
    Duration retry_after;
    Duration arrival;
  };
  const Rate rate{10, 1min, 3};  // one in 6 s, three at once
  Time arrival = Time::min();
  for (const Step& step :
       {Step{0s, true, 0s, 6s}, Step{0s, true, 0s, 12s}, Step{0s, true, 0s, 18s}, Step{0s, false, 6s, 18s},
        Step{5s, false, 1s, 18s}, Step{6s, true, 0s, 24s}, Step{7s, false, 5s, 24s}, Step{30s, true, 0s, 36s}}) {
    const auto answer = take_one(arrival, rate, start + step.at);
    EXPECT_EQ(answer.allowed, step.allowed) << step.at.count();
    EXPECT_EQ(answer.retry_after, step.retry_after) << step.at.count();
    EXPECT_EQ(arrival, start + step.arrival) << step.at.count();
  }
}

TEST(Gcra, WithABurstOfOneIsStrictSpacing) {
  for (std::uint64_t burst : {0u, 1u}) {
    Time arrival = Time::min();
    const Rate rate{1, 10s, burst};
    EXPECT_TRUE(take_one(arrival, rate, start).allowed);
    EXPECT_EQ(take_one(arrival, rate, start + 1s).retry_after, 9s);
    EXPECT_TRUE(take_one(arrival, rate, start + 10s).allowed);
  }
}

TEST(Gcra, OfNothingAllowsNothing) {
  Time arrival = Time::min();
  const auto answer = take_one(arrival, Rate{0, 1h, 5}, start);
  EXPECT_FALSE(answer.allowed);
  EXPECT_EQ(answer.retry_after, 1h);
}

TEST(Gcra, SurvivesRatesOfAnySize) {
  for (const Rate& rate : {Rate{1, Duration::max(), UINT64_MAX}, Rate{UINT64_MAX, 1ns, UINT64_MAX},
                           Rate{1, Duration::min(), 1}, Rate{UINT64_MAX, Duration::max(), 1}}) {
    Time arrival = Time::min();
    for (int i = 0; i < 100; ++i) take_one(arrival, rate, start);
    EXPECT_GE(arrival, start);
  }
}

TEST(Gcra, GivesNothingAwayWhenAnotherWorkersClockIsBehind) {
  Time arrival = Time::min();
  const Rate rate{60, 1min, 1};
  EXPECT_TRUE(take_one(arrival, rate, start).allowed);
  EXPECT_EQ(take_one(arrival, rate, start - 1ms).retry_after, 1s + 1ms);
  EXPECT_EQ(arrival, start + 1s);
}

}  // namespace
}  // namespace sallyport::state
