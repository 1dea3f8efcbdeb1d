// The breakers of a list (threats.md D10) and its test points (D9).
#include "policies/lists/list_health.h"

#include <gtest/gtest.h>

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;
using Change = ListHealth::Change;

constexpr Time start{1h};
constexpr ListPart v4 = ListPart::ipv4;
constexpr ListPart v6 = ListPart::ipv6;

Change fail(ListHealth& health, ListPart family, Time now) {
  auto turn = health.may_ask(family, now);
  EXPECT_TRUE(turn);
  return turn ? turn->failed(now, "no answer in time") : Change::none;
}

// Fails so often that the breaker opens at `now`.
void open_breaker(ListHealth& health, ListPart family, Time now) {
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) EXPECT_EQ(fail(health, family, now), Change::none) << i;
  EXPECT_EQ(fail(health, family, now), Change::opened);
}

bool may_ask(ListHealth& health, ListPart family, Time now) { return health.may_ask(family, now).has_value(); }

TEST(ListHealth, StopsAskingAfterTenFailuresInARow) {
  ListHealth health;
  open_breaker(health, v4, start);
  EXPECT_FALSE(may_ask(health, v4, start));
  EXPECT_FALSE(may_ask(health, v4, start + ListHealth::pause - 1ms));
}

TEST(ListHealth, HasABreakerForEachAddressFamily) {
  for (const ListPart broken : {v4, v6}) {
    const ListPart other = broken == v4 ? v6 : v4;
    ListHealth health;
    open_breaker(health, broken, start);
    EXPECT_FALSE(may_ask(health, broken, start));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(health.may_ask(other, start)->answered(start), Change::none);
    EXPECT_FALSE(may_ask(health, broken, start)) << "an answer about the other family says nothing of this one";
    const ListHealth::Report report = health.report();
    EXPECT_TRUE(report.parts[static_cast<std::size_t>(broken)].is_open);
    EXPECT_FALSE(report.parts[static_cast<std::size_t>(other)].is_open);
  }
}

TEST(ListHealth, StartsCountingAnewAfterAnAnswer) {
  ListHealth health;
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) fail(health, v4, start);
  EXPECT_EQ(health.may_ask(v4, start)->answered(start), Change::none);
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) EXPECT_EQ(fail(health, v4, start), Change::none);
  EXPECT_TRUE(may_ask(health, v4, start));
}

// Within five seconds after its return a list is used again (threats.md R9).
TEST(ListHealth, LetsOneProbeThroughPerPauseHoweverLateItEnds) {
  constexpr Duration pause = ListHealth::pause;
  ASSERT_LE(pause, 2s);
  ListHealth health;
  open_breaker(health, v4, start);
  auto probe = health.may_ask(v4, start + pause);
  ASSERT_TRUE(probe);
  EXPECT_FALSE(may_ask(health, v4, start + pause));
  EXPECT_FALSE(may_ask(health, v4, start + 2 * pause - 1ms));
  auto second = health.may_ask(v4, start + 2 * pause);
  ASSERT_TRUE(second) << "though the first is still under way";
  EXPECT_EQ(probe->failed(start + 2 * pause + 1ms, "no answer in time"), Change::none) << "it was open already";
  EXPECT_FALSE(may_ask(health, v4, start + 3 * pause - 1ms));
  auto third = health.may_ask(v4, start + 3 * pause);
  ASSERT_TRUE(third) << "a probe that failed has moved nothing";
  EXPECT_EQ(third->answered(start + 3 * pause), Change::closed);
  EXPECT_TRUE(may_ask(health, v4, start + 3 * pause));
  EXPECT_TRUE(may_ask(health, v4, start + 3 * pause));
}

TEST(ListHealth, LeavesAListThatRefusesUsAloneForAMinute) {
  constexpr Duration pause = ListHealth::pause_after_refusal;
  ListHealth health;
  for (unsigned i = 0; i < ListHealth::failures_to_open; ++i)
    health.may_ask(v4, start)->failed(start, "refused", pause);
  EXPECT_FALSE(may_ask(health, v4, start + pause - 1ms));
  auto probe = health.may_ask(v4, start + pause);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->failed(start + pause, "refused", pause), Change::none);
  EXPECT_FALSE(may_ask(health, v4, start + 2 * pause - 1ms));
  EXPECT_TRUE(may_ask(health, v4, start + 2 * pause));
}

// R9: whoever answered in the place of the list may have stopped.
TEST(ListHealth, OneThatDoesNotPassIsTestedAgainSoonUnlessItHasRefusedUs) {
  ListHealth health;
  EXPECT_TRUE(health.begin_test(start));
  EXPECT_FALSE(health.retest_at());
  health.tested(start, {.passes = false, .reason = "127.0.0.1 is listed"});
  EXPECT_EQ(health.retest_at(), start + ListHealth::between_retests);
  EXPECT_LT(ListHealth::between_retests, 5s);
  EXPECT_FALSE(health.begin_test(start + ListHealth::between_retests - 1ms));
  EXPECT_TRUE(health.begin_test(start + ListHealth::between_retests));
  health.tested(start + 4s, {});
  EXPECT_EQ(health.retest_at(), start + 4s + ListHealth::between_retests) << "it could not be asked";
  health.tested(start + 8s, {.passes = false, .reason = "answered 127.255.255.254", .is_refusal = true});
  EXPECT_FALSE(health.retest_at());
  health.tested(start + 9s, {.passes = true});
  EXPECT_FALSE(health.retest_at());
}

TEST(ListHealth, AProbeThatSettlesNothingIsLeftToTheNext) {
  ListHealth health;
  open_breaker(health, v6, start);
  for (int i = 0; i < 5; ++i) {
    auto probe = health.may_ask(v6, start + 61s);
    EXPECT_TRUE(probe);
    EXPECT_FALSE(may_ask(health, v6, start + 61s));
  }  // its answer came from the cache, or its client left
  EXPECT_EQ(health.may_ask(v6, start + 61s)->answered(start + 61s), Change::closed);
}

TEST(ListHealth, QuestionsUnderWayWhenItOpensAreNoProbes) {
  ListHealth health;
  std::optional<ListHealth::Turn> early = health.may_ask(v4, start);
  std::optional<ListHealth::Turn> another = health.may_ask(v4, start);
  open_breaker(health, v4, start);
  EXPECT_EQ(early->failed(start + 30s, "no answer in time"), Change::none);
  auto probe = health.may_ask(v4, start + 60s);
  ASSERT_TRUE(probe) << "the failure has not moved it";
  another.reset();
  EXPECT_FALSE(may_ask(health, v4, start + 60s)) << "the probe is still under way";
}

TEST(ListHealth, KeepsAListOutThatFailsItsTest) {
  ListHealth health;
  ListHealth::Tested wrong;
  wrong.passes = false;
  wrong.reason = "127.0.0.1 is listed";
  EXPECT_TRUE(health.tested(start, wrong));
  EXPECT_FALSE(health.tested(start + 300s, wrong)) << "nothing new";
  EXPECT_FALSE(may_ask(health, v4, start + 1h));
  EXPECT_EQ(health.report().tested_since, start);
  EXPECT_EQ(health.report().test_reason, "127.0.0.1 is listed");
  wrong.reason = "127.0.0.2 is not listed";
  EXPECT_TRUE(health.tested(start + 600s, wrong)) << "another reason";
  EXPECT_FALSE(health.tested(start + 900s, {})) << "could not be asked";
  EXPECT_FALSE(may_ask(health, v4, start + 1h));
  ListHealth::Tested right;
  right.passes = true;
  EXPECT_TRUE(health.tested(start + 1200s, right));
  EXPECT_FALSE(health.tested(start + 1500s, right));
  EXPECT_TRUE(may_ask(health, v4, start + 1h));
}

TEST(ListHealth, CountsWhatItWasAskedAndWhy) {
  ListHealth health;
  health.may_ask(v4, start)->answered(start);
  health.count_hit();
  fail(health, v6, start + 5s);
  health.may_ask(v4, start).reset();
  const ListHealth::Report report = health.report();
  EXPECT_EQ(report.questions, 2u);
  EXPECT_EQ(report.hits, 1u);
  EXPECT_EQ(report.faults, 1u);
  EXPECT_EQ(report.parts[1].last_failure, "no answer in time");
  EXPECT_EQ(report.parts[1].failed_at, start + 5s);
  EXPECT_EQ(report.parts[0].last_failure, "");
  EXPECT_EQ(report.passes_test, std::nullopt);
}

}  // namespace
}  // namespace sallyport::policies
