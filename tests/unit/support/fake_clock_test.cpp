#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.h"

namespace sallyport::support {
namespace {

using namespace std::chrono_literals;

TEST(FakeClock, StandsStillUntilItIsMoved) {
  FakeClock clock;
  WallTime start = clock.wall_now();
  EXPECT_EQ(mail_date(start), "Sun, 22 Nov 2026 12:00:00 +0000");
  clock.advance(1h);
  EXPECT_EQ(clock.wall_now() - start, 1h);
  clock.set(start - 24h * 3650);
  EXPECT_LT(clock.wall_now(), start);
}

TEST(FakeClock, FollowsAScheduler) {
  ManualLoop loop;
  FakeClock clock(FakeClock().wall_now(), loop.scheduler());
  WallTime start = clock.wall_now();
  loop.advance(90s);
  EXPECT_EQ(clock.wall_now() - start, 90s);
  clock.set(start);
  loop.advance(1s);
  EXPECT_EQ(clock.wall_now() - start, 1s);
}

}  // namespace
}  // namespace sallyport::support
