// The breaker of a list (threats.md D10) and its test points (D9).
#include "policies/dnsbl/list_health.h"

#include <gtest/gtest.h>

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1h};

// Fails so often that the breaker opens at `now`.
void open_breaker(ListHealth& health, Time now) {
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) EXPECT_FALSE(health.failed(now)) << i;
  EXPECT_TRUE(health.failed(now));
}

TEST(ListHealth, StopsAskingAfterTenFailuresInARow) {
  ListHealth health;
  EXPECT_TRUE(health.may_ask(start));
  open_breaker(health, start);
  EXPECT_FALSE(health.may_ask(start));
  EXPECT_FALSE(health.may_ask(start + 59s));
}

TEST(ListHealth, StartsCountingAnewAfterAnAnswer) {
  ListHealth health;
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) health.failed(start);
  health.answered();
  for (unsigned i = 1; i < ListHealth::failures_to_open; ++i) health.failed(start);
  EXPECT_TRUE(health.may_ask(start));
}

TEST(ListHealth, LetsOneProbeThroughPerPause) {
  ListHealth health;
  open_breaker(health, start);
  EXPECT_TRUE(health.may_ask(start + 60s));
  EXPECT_FALSE(health.may_ask(start + 60s));
  EXPECT_FALSE(health.failed(start + 65s)) << "it was open already";
  EXPECT_FALSE(health.may_ask(start + 119s));
  EXPECT_TRUE(health.may_ask(start + 120s)) << "a probe nobody answered does not close it for ever";
  health.answered();
  EXPECT_TRUE(health.may_ask(start + 120s));
}

TEST(ListHealth, OpensOnceForQuestionsThatWereUnderWay) {
  ListHealth health;
  open_breaker(health, start);
  EXPECT_FALSE(health.failed(start + 30s));
  EXPECT_TRUE(health.may_ask(start + 60s));
}

TEST(ListHealth, KeepsAListOutThatFailsItsTest) {
  ListHealth health;
  health.tested(false);
  EXPECT_FALSE(health.may_ask(start + 1h));
  health.tested(true);
  EXPECT_TRUE(health.may_ask(start + 1h));
}

}  // namespace
}  // namespace sallyport::policies
