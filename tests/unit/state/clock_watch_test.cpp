#include "gateway/state/clock_watch.h"

#include <gtest/gtest.h>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime today{seconds(1'800'000'000)};
constexpr hours ten_years(24 * 3653);

class ClockWatchTest : public testing::Test {
 protected:
  // As long after the start by both clocks, the wall clock having been set by `moved` altogether.
  bool is_suspect(Duration after, Duration moved = {}) {
    return watch.is_suspect(today + std::chrono::duration_cast<WallTime::duration>(after + moved),
                            Time(hours(1) + after));
  }
  std::uint64_t faults() const { return counters.get(Fault::clock_suspect); }

  Counters counters;
  support::LinesLog log;
  ClockWatch watch{counters, log};
};

TEST_F(ClockWatchTest, AClockThatRunsEvenlyIsTrusted) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(is_suspect(hours(i), minutes(i))) << i;
  EXPECT_EQ(faults(), 0u);
}

TEST_F(ClockWatchTest, AJumpIsToldOnceAndSuspectForADay) {
  for (const hours jump : {ten_years, -ten_years, hours(2), -hours(2)}) {
    Counters own_counters;
    support::LinesLog own_log;
    ClockWatch one(own_counters, own_log);
    const auto suspect = [&](Duration after, Duration moved) {
      return one.is_suspect(today + std::chrono::duration_cast<WallTime::duration>(after + moved), Time(after));
    };
    EXPECT_FALSE(suspect(seconds(0), seconds(0)));
    for (int i = 1; i < 24; ++i) EXPECT_TRUE(suspect(hours(i), jump)) << i;
    EXPECT_EQ(own_counters.get(Fault::clock_suspect), 1u);
    EXPECT_EQ(own_log.count({"event=fault", "kind=clock_suspect", jump > hours(0) ? "forward" : "back"}), 1u);
    EXPECT_FALSE(suspect(hours(26), jump));
    EXPECT_TRUE(suspect(hours(27), seconds(0))) << "set right, which is a jump as any other";
    EXPECT_EQ(own_counters.get(Fault::clock_suspect), 2u);
  }
}

TEST_F(ClockWatchTest, AStartAtATimeThatCannotBeIsSuspect) {
  EXPECT_TRUE(watch.is_suspect(WallTime(seconds(1000)), Time(hours(1))));
  EXPECT_EQ(log.count({"kind=clock_suspect", "1000 s since 1970"}), 1u);
}

TEST_F(ClockWatchTest, AStartHasToFitWhatWasLastKnown) {
  struct Case {
    Duration after;
    bool is_suspect;
  };
  for (const Case& one : {Case{hours(1), false}, Case{hours(24 * 30), false}, Case{-minutes(5), false},
                          Case{-hours(3), true}, Case{ten_years, true}, Case{-ten_years, true}}) {
    ClockWatch starting(counters, log);
    starting.remember(today);
    const WallTime start = today + std::chrono::duration_cast<WallTime::duration>(one.after);
    EXPECT_EQ(starting.is_suspect(start, Time(hours(1))), one.is_suspect) << one.after.count();
  }
}

TEST_F(ClockWatchTest, WithoutAFileNothingIsKnown) {
  watch.remember(last_change_of("/nonexistent/state.db"));
  EXPECT_FALSE(is_suspect(seconds(0)));
  EXPECT_GT(last_change_of("/proc/self/exe"), WallTime());
}

}  // namespace
}  // namespace sallyport::state
