// threats.md L1: mails whose rules compute for very long leave most of the loop's time to others, and each of them has
// its turn.
#include "lua/engine/long_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "gateway/async/background.h"
#include "gateway/async/nursery.h"

namespace sallyport::lua {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration slice = microseconds(250);
// A timer of the wheel comes so much later at most; a turn of the loop may take a slice.
constexpr Duration late = milliseconds(4) + slice + microseconds(100);

// A loop whose clock moves while somebody computes, from one timer to the next, or from one event of others to the
// next.
class LongRunsTest : public ::testing::Test {
 protected:
  LongRunsTest() { others.spawn(serve(event)); }
  struct Slice {
    int whose;
    Time began;
    bool has_rested;
  };

  static Task<void> compute(LongRunsTest& test, int whose, async::Payer payer = 0, Time deadline = async::no_deadline) {
    while (true) {
      const bool has_rested = co_await test.runs.take_turn(test.scheduler, payer, deadline);
      co_await async::Background(test.scheduler, payer);
      test.slices.push_back({whose, test.clock, has_rested});
      test.clock += slice;
      if (test.scheduler.is_over(deadline)) co_return;
    }
  }

  static Task<void> serve(async::Signal& event) {
    while (true) co_await event.wait();
  }

  void turn() {
    if (others_are_there) {
      clock += microseconds(100);
      scheduler.set_time(clock);
      event.notify();
      scheduler.run_ready();
    } else if (const auto next = scheduler.timers().next(); next && !scheduler.wants_turn()) {
      clock = std::max(clock, *next);
    }
    scheduler.begin_turn();
    scheduler.advance(clock);
    scheduler.run_ready();
  }
  void run_for(Duration duration) {
    for (const Time end = clock + duration; clock < end;) turn();
  }
  std::ptrdiff_t slices_of(int whose) const {
    return std::count_if(slices.begin(), slices.end(), [whose](const Slice& one) { return one.whose == whose; });
  }

  Time clock{std::chrono::hours(1)};
  async::Scheduler scheduler{clock};
  bool others_are_there = true;
  async::Signal event{scheduler};  // what the others have to do
  LongRuns runs;
  std::vector<Slice> slices;
  async::Nursery others{scheduler};
  async::Nursery nursery{scheduler};
};

TEST_F(LongRunsTest, HoweverManyThereAreOneHasASliceAfterEachRestInTheirOrder) {
  for (const int count : {1, 4, 50}) {
    async::Nursery here(scheduler);
    for (int i = 0; i < count; ++i) here.spawn(compute(*this, i));
    run_for(milliseconds(50));
    slices.clear();
    run_for(std::chrono::seconds(2));
    ASSERT_GT(slices.size(), 300u) << "no more than some milliseconds of rest";
    std::map<int, Time> last;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      EXPECT_TRUE(slices[i].has_rested);
      if (i > 0) {
        EXPECT_GE(slices[i].began - slices[i - 1].began, LongRuns::rest);
      }
      if (i >= static_cast<std::size_t>(count)) {
        EXPECT_EQ(slices[i].whose, slices[i - static_cast<std::size_t>(count)].whose);
      }
      const auto before = last.find(slices[i].whose);
      if (before != last.end()) {
        EXPECT_LE(slices[i].began - before->second, count * (LongRuns::rest + late));
      }
      last[slices[i].whose] = slices[i].began;
    }
    EXPECT_EQ(last.size(), static_cast<std::size_t>(count)) << "none is left out";
  }
}

TEST_F(LongRunsTest, ThePayersTakeTurns) {
  for (int i = 0; i < 30; ++i) nursery.spawn(compute(*this, i, 1));
  nursery.spawn(compute(*this, 30, 2));
  run_for(std::chrono::seconds(2));
  EXPECT_GE(slices_of(30), static_cast<std::ptrdiff_t>(slices.size()) * 2 / 5);
  for (int i = 0; i < 30; ++i) EXPECT_GE(slices_of(i), 2);
}

TEST_F(LongRunsTest, WhereNobodyElseIsThereTheyHaveTheLoopForThemselves) {
  for (int i = 0; i < 3; ++i) nursery.spawn(compute(*this, i));
  others_are_there = false;
  run_for(milliseconds(100));
  slices.clear();
  run_for(std::chrono::seconds(1));
  EXPECT_GE(slices.size(), std::chrono::seconds(1) / slice * 8 / 10);
  for (int i = 0; i < 3; ++i) EXPECT_GE(slices_of(i), static_cast<std::ptrdiff_t>(slices.size() / 4));
  // Others are noticed at once.
  others_are_there = true;
  run_for(3 * slice + LongRuns::rest + late);
  slices.clear();
  run_for(milliseconds(200));
  EXPECT_TRUE(std::all_of(slices.begin(), slices.end(), [](const Slice& one) { return one.has_rested; }));
}

TEST_F(LongRunsTest, WhoeverIsDroppedIsInNobodysWay) {
  // Each of them once, whether it rests or waits for its turn.
  for (int dropped = 0; dropped < 6; ++dropped) {
    slices.clear();
    std::vector<std::unique_ptr<async::Nursery>> each;
    for (int i = 0; i < 6; ++i) {
      each.push_back(std::make_unique<async::Nursery>(scheduler));
      each.back()->spawn(compute(*this, i));
    }
    run_for(milliseconds(30));
    each[static_cast<std::size_t>(dropped)].reset();
    slices.clear();
    run_for(milliseconds(200));
    for (int i = 0; i < 6; ++i) EXPECT_EQ(slices_of(i) > 3, i != dropped) << i << " after " << dropped;
    each.clear();
    EXPECT_TRUE(runs.is_empty());
  }
}

TEST_F(LongRunsTest, NobodyWaitsBeyondItsDeadline) {
  for (int i = 0; i < 1000; ++i) nursery.spawn(compute(*this, i, 0, clock + milliseconds(40)));
  run_for(milliseconds(40) + late + 1000 * (slice + microseconds(100)));
  EXPECT_EQ(nursery.size(), 0u);
  EXPECT_TRUE(runs.is_empty());
}

}  // namespace
}  // namespace sallyport::lua
