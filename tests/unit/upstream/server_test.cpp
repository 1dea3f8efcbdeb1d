// A server's state: what changes it, how often that is told, and what of it can be read.
#include "gateway/upstream/server.h"

#include <gtest/gtest.h>

namespace sallyport::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class UpstreamServerTest : public testing::Test {
 protected:
  ServerState state() const { return server.status(now).state; }

  const Time start{std::chrono::hours(1)};
  Time now = start;
  UpstreamServer server{*SocketAddress::parse("10.0.0.5:25")};
};

TEST_F(UpstreamServerTest, IsUnknownAtFirstAndThatItIsUpIsNoNews) {
  EXPECT_EQ(state(), ServerState::unknown);
  EXPECT_FALSE(server.connected(now));
  EXPECT_EQ(state(), ServerState::up);
  EXPECT_EQ(server.status(now).since, start);
  EXPECT_EQ(server.status(now).reason, "");
}

TEST_F(UpstreamServerTest, IsDownWhenAConnectionFailsAndThatIsToldOnce) {
  static_cast<void>(server.connected(now));
  now += seconds(7);
  EXPECT_TRUE(server.failed_to_connect(now, "connect: refused", false));
  EXPECT_FALSE(server.failed_to_connect(now + seconds(3), "connect: \x1b[2J", false));
  EXPECT_EQ(state(), ServerState::down);
  EXPECT_EQ(server.status(now).since, start + seconds(7)) << "since it went down, not since it was last asked";
  EXPECT_EQ(server.status(now).reason, "connect: ?[2J");
  now += seconds(20);
  EXPECT_TRUE(server.connected(now));
  EXPECT_FALSE(server.connected(now));
  EXPECT_EQ(state(), ServerState::up);
  EXPECT_EQ(server.status(now).since, now);
  EXPECT_EQ(server.status(now).reason, "connect: ?[2J") << "of the last time";
}

TEST_F(UpstreamServerTest, IsPassedOverForTwoSeconds) {
  static_cast<void>(server.failed_to_connect(now, "x", false));
  EXPECT_TRUE(server.is_down(now + milliseconds(1900)));
  EXPECT_FALSE(server.is_down(now + milliseconds(2000)));
  EXPECT_EQ(server.status(now + seconds(5)).state, ServerState::down) << "until it has been found well";
}

TEST_F(UpstreamServerTest, ABrokenTransactionSaysNothingButSeveralInARowDo) {
  static_cast<void>(server.connected(now));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(server.failed_to_serve(now, "reset"));
    EXPECT_FALSE(server.served(now));
  }
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(server.failed_to_serve(now, "reset"));
  EXPECT_TRUE(server.failed_to_serve(now, "reset"));
  EXPECT_FALSE(server.failed_to_serve(now, "reset"));
  EXPECT_EQ(state(), ServerState::down);
  EXPECT_FALSE(server.is_down(now)) << "where it is the only one, it is asked all the same";
  EXPECT_FALSE(server.connected(now)) << "that it lets us connect is not what it lacks";
  EXPECT_EQ(state(), ServerState::down);
  EXPECT_TRUE(server.served(now));
  EXPECT_EQ(state(), ServerState::up);
}

TEST_F(UpstreamServerTest, AFullOneIsBoundedByWhatItLetUsHaveAndThatGrowsBack) {
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(server.acquire_slot(100, now));
  EXPECT_TRUE(server.is_full(now, "421 enough"));
  server.release_slot();
  EXPECT_EQ(state(), ServerState::full);
  EXPECT_EQ(server.status(now).bound, 5u);
  EXPECT_EQ(server.status(now).connections, 5u);
  EXPECT_FALSE(server.acquire_slot(100, now));
  server.release_slot();
  EXPECT_TRUE(server.acquire_slot(100, now));
  EXPECT_FALSE(server.is_full(now + seconds(1), "421 enough")) << "said before";
  now += seconds(60);
  EXPECT_EQ(state(), ServerState::up);
  EXPECT_TRUE(server.acquire_slot(100, now));
  EXPECT_FALSE(server.acquire_slot(4, now)) << "the configured limit holds all the same";
}

TEST_F(UpstreamServerTest, OnePlaceIsTakenAwayForAMomentOnly) {
  EXPECT_TRUE(server.acquire_slot(100, now));
  static_cast<void>(server.is_full(now, "421"));
  server.release_slot();
  EXPECT_FALSE(server.acquire_slot(100, now)) << "it would be asked without end";
  EXPECT_TRUE(server.acquire_slot(100, now + seconds(1)));
}

TEST_F(UpstreamServerTest, WhoRefusesMailIsAvoidedLongerEachTime) {
  server.refused_for_now(now);
  EXPECT_TRUE(server.is_avoided(now + seconds(1)));
  EXPECT_FALSE(server.is_avoided(now + seconds(3)));
  server.refused_for_now(now);
  EXPECT_TRUE(server.is_avoided(now + seconds(3)));
  for (int i = 0; i < 100; ++i) server.refused_for_now(now);
  EXPECT_FALSE(server.is_avoided(now + seconds(70))) << "but it is tried again";
  static_cast<void>(server.served(now));
  EXPECT_FALSE(server.is_avoided(now));
}

TEST_F(UpstreamServerTest, TheLatencyIsAMeanThatForgets) {
  for (int i = 0; i < 50; ++i) server.answered_after(milliseconds(80));
  EXPECT_GT(server.latency(), milliseconds(70));
  for (int i = 0; i < 50; ++i) server.answered_after(milliseconds(1));
  EXPECT_LT(server.latency(), milliseconds(5));
}

TEST_F(UpstreamServerTest, OneProbeAtATime) {
  EXPECT_TRUE(server.begin_probe());
  EXPECT_FALSE(server.begin_probe());
  server.end_probe();
  EXPECT_TRUE(server.begin_probe());
}

}  // namespace
}  // namespace sallyport::upstream
