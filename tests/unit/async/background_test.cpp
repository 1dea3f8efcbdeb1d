#include "gateway/async/background.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "gateway/async/share.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

// One slice that was executed: whose, in which turn, and whether others had something to do.
struct Slice {
  int whose;
  std::uint64_t turn;
  bool was_busy;
};

class BackgroundTest : public ::testing::Test {
 protected:
  static Task<void> compute(BackgroundTest& test, int number, int slices) {
    for (int i = 0; i < slices; ++i) {
      co_await Background(test.scheduler);
      test.done.push_back({number, test.scheduler.turn(), test.scheduler.is_busy()});
    }
  }
  static Task<void> compute_once(BackgroundTest& test, const int& served) {
    co_await Background(test.scheduler);
    test.done.push_back({served, test.scheduler.turn(), test.scheduler.is_busy()});
  }
  static Task<void> serve(Signal& event, int& served) {
    while (true) {
      co_await event.wait();
      ++served;
    }
  }
  static Task<void> move(Scheduler& scheduler) {
    while (true) co_await Share(scheduler, 65536);
  }
  void turn() {
    scheduler.begin_turn();
    scheduler.run_ready();
  }

  Scheduler scheduler{Time{}};
  std::vector<Slice> done;
  Nursery nursery{scheduler};
};

constexpr int endless = 1 << 30;

TEST_F(BackgroundTest, HoweverManyThereAreATurnHasOneSliceAndEachHasItsTurn) {
  for (const int count : {1, 2, 7, 100}) {
    done.clear();
    Nursery here(scheduler);
    for (int i = 0; i < count; ++i) here.spawn(compute(*this, i, endless));
    for (int i = 0; i < 5 * count; ++i) turn();
    ASSERT_EQ(done.size(), static_cast<std::size_t>(5 * count));
    std::set<std::uint64_t> turns;
    for (std::size_t i = 0; i < done.size(); ++i) {
      EXPECT_EQ(done[i].whose, static_cast<int>(i) % count) << "in the order in which they came";
      turns.insert(done[i].turn);
    }
    EXPECT_EQ(turns.size(), done.size());
  }
}

TEST_F(BackgroundTest, ManyStepsInOneTurnHaveOneSliceTogether) {
  for (int i = 0; i < 3; ++i) nursery.spawn(compute(*this, i, endless));
  int served = 0;
  Signal event(scheduler);
  nursery.spawn(serve(event, served));
  turn();
  for (int step = 0; step < 10; ++step) {
    event.notify();
    scheduler.run_ready();
  }
  EXPECT_EQ(served, 10);
  EXPECT_EQ(done.size(), 1u);
}

TEST_F(BackgroundTest, ComesAfterAllThatIsReady) {
  std::deque<Signal> events;
  for (int i = 0; i < 20; ++i) events.emplace_back(scheduler);
  int served = 0;
  for (Signal& event : events) nursery.spawn(serve(event, served));
  nursery.spawn(compute_once(*this, served));
  scheduler.begin_turn();
  for (Signal& event : events) event.notify();
  scheduler.run_ready();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].whose, 20) << "what had been served by then";
}

TEST_F(BackgroundTest, KnowsWhetherOthersHaveSomethingToDo) {
  int served = 0;
  Signal event(scheduler);
  nursery.spawn(compute(*this, 0, endless));
  nursery.spawn(serve(event, served));
  turn();
  for (int i = 0; i < 3; ++i) turn();
  for (const Slice& slice : done) EXPECT_FALSE(slice.was_busy) << "its own slices are no work of others";
  done.clear();
  event.notify();
  turn();
  EXPECT_TRUE(done.at(0).was_busy) << "in this turn";
  event.notify();
  scheduler.run_ready();  // an event that the loop finds after the slice
  turn();
  EXPECT_TRUE(done.at(1).was_busy) << "since the slice before";
  turn();
  EXPECT_FALSE(done.at(2).was_busy);
}

TEST_F(BackgroundTest, ThoseWhoMoveOctetsForEverLeaveItItsSlice) {
  for (int i = 0; i < 50; ++i) nursery.spawn(move(scheduler));
  nursery.spawn(compute(*this, 0, endless));
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_GE(done.size(), 20u);
}

TEST_F(BackgroundTest, TakesNoShareOfTheTurnFromThoseWhoMoveOctets) {
  for (int i = 0; i < 50; ++i) nursery.spawn(compute(*this, i, endless));
  for (int i = 0; i < 20; ++i) {
    turn();
    EXPECT_TRUE(scheduler.take_share(Scheduler::octets_per_turn / 2));
  }
}

TEST_F(BackgroundTest, WhoEndsWhileItWaitsIsInNobodysWay) {
  auto gone = std::make_unique<Nursery>(scheduler);
  turn();
  nursery.spawn(compute(*this, 0, endless));
  scheduler.run_ready();
  gone->spawn(compute(*this, 1, endless));
  nursery.spawn(compute(*this, 2, endless));
  done.clear();
  gone.reset();
  for (int i = 0; i < 4; ++i) turn();
  ASSERT_EQ(done.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(done[i].whose, i % 2 == 0 ? 0 : 2);
}

TEST_F(BackgroundTest, TheDriverLearnsThatSomebodyWaits) {
  EXPECT_FALSE(scheduler.wants_turn());
  nursery.spawn(compute(*this, 0, 2));
  EXPECT_TRUE(scheduler.wants_turn());
  turn();
  EXPECT_TRUE(scheduler.wants_turn());
  turn();
  EXPECT_FALSE(scheduler.wants_turn());
  EXPECT_EQ(done.size(), 2u);
}

}  // namespace
}  // namespace sallyport::async
