#include "gateway/async/wait.h"

#include <gtest/gtest.h>

#include <memory>

#include "gateway/base/ensure.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

using namespace std::chrono_literals;

Task<void> wait_once(Signal& signal, Notes& notes, Time deadline = no_deadline) {
  notes.push_back(co_await signal.wait(deadline) == Woken::notified ? "notified" : "timed out");
}

Task<void> wait_always(Signal& signal, Notes& notes) {
  while (true) {
    co_await signal.wait();
    notes.push_back("woken");
  }
}

struct SignalTest : testing::Test {
  Turn turn;
  Notes notes;
  Signal signal{turn.scheduler};
};

TEST_F(SignalTest, WakesWhoWaits) {
  turn.run(wait_once(signal, notes));
  EXPECT_TRUE(signal.has_waiter());
  signal.notify();
  EXPECT_FALSE(signal.has_waiter());
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"notified"});
  EXPECT_FALSE(turn.scheduler.timers().next());
}

TEST_F(SignalTest, RemembersNewsUntilTheNextWaitAndOnlyThat) {
  signal.notify();
  signal.notify();
  turn.run(wait_once(signal, notes));
  EXPECT_EQ(notes, Notes{"notified"});
  turn.run(wait_once(signal, notes));
  EXPECT_EQ(notes.size(), 1u);
}

TEST_F(SignalTest, ForgetsNewsWhenReset) {
  signal.notify();
  signal.reset();
  turn.run(wait_once(signal, notes));
  EXPECT_TRUE(notes.empty());
}

TEST_F(SignalTest, NewsBeforeTheWokenOneRunsAreTheSameNews) {
  turn.run(wait_always(signal, notes));
  signal.notify();
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"woken"});
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"woken", "woken"}));
}

TEST_F(SignalTest, TimesOut) {
  turn.run(wait_once(signal, notes, turn.now() + 1s));
  turn.pass(999ms);
  EXPECT_TRUE(notes.empty());
  turn.pass(10ms);
  EXPECT_EQ(notes, Notes{"timed out"});
  EXPECT_FALSE(signal.has_waiter());
}

TEST_F(SignalTest, ADeadlineThatHasPassedIsJudgedAfterOneMoreLookForEvents) {
  turn.run(wait_once(signal, notes, turn.now() - 1h));
  EXPECT_TRUE(notes.empty());
  turn.pass(0s);
  EXPECT_EQ(notes, Notes{"timed out"});
  EXPECT_FALSE(signal.has_waiter());
}

// A chain of events that were all there before the deadlines, each found by a look for events of its own.
TEST_F(SignalTest, WhatEachLookForEventsFindsCountsThoughTheDeadlineHasPassed) {
  const Time deadline = turn.now() + 1s;
  turn.run(wait_once(signal, notes, deadline));
  turn.scheduler.set_time(turn.now() + 2s);
  for (int look = 0; look < 5; ++look) {
    turn.scheduler.collect_due();
    signal.notify();
    turn.scheduler.run_ready();
    EXPECT_EQ(notes.back(), "notified");
    turn.run(wait_once(signal, notes, deadline));
    turn.scheduler.fire_due();
    turn.scheduler.run_ready();
    EXPECT_EQ(notes.size(), static_cast<std::size_t>(look) + 1) << "the next link has not been looked for";
  }
  turn.pass(0s);
  EXPECT_EQ(notes.back(), "timed out");
}

TEST_F(SignalTest, NewsThatAreThereCountMoreThanADeadlineThatHasPassed) {
  signal.notify();
  turn.run(wait_once(signal, notes, turn.now() - 1s));
  EXPECT_EQ(notes, Notes{"notified"});
}

TEST_F(SignalTest, NewsInTimeClearTheDeadline) {
  turn.run(wait_once(signal, notes, turn.now() + 1s));
  signal.notify();
  EXPECT_FALSE(turn.scheduler.timers().next());
  turn.scheduler.advance(turn.now() + 2s);
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"notified"});
}

TEST_F(SignalTest, NewsBehindTheDeadlineAreKeptForTheNextWait) {
  turn.run(wait_once(signal, notes, turn.now() + 1s));
  turn.scheduler.advance(turn.now() + 2s);
  signal.notify();  // the waiter has been told that time is up, and has not run yet
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"timed out"});
  turn.run(wait_once(signal, notes));
  EXPECT_EQ(notes, (Notes{"timed out", "notified"}));
}

TEST_F(SignalTest, AWaiterThatIsEndedLeavesNothingBehind) {
  turn.run(wait_once(signal, notes, turn.now() + 1s));
  turn.nursery.cancel();
  EXPECT_FALSE(signal.has_waiter());
  EXPECT_FALSE(turn.scheduler.timers().next());
  signal.notify();
  EXPECT_FALSE(turn.scheduler.has_ready());
  turn.run(wait_once(signal, notes));
  EXPECT_EQ(notes, Notes{"notified"});
}

TEST_F(SignalTest, AWokenWaiterThatIsEndedIsNotResumed) {
  turn.run(wait_once(signal, notes));
  signal.notify();
  turn.nursery.cancel();
  EXPECT_FALSE(turn.scheduler.has_ready());
  turn.run(wait_once(signal, notes));
  EXPECT_TRUE(notes.empty());
}

Task<void> expect_refusal(Signal& signal, Notes& notes) {
  try {
    co_await signal.wait();
  } catch (const BrokenInvariant&) {
    notes.push_back("refused");
  }
}

TEST_F(SignalTest, RefusesASecondWaiterAndKeepsTheFirst) {
  turn.run(wait_once(signal, notes));
  turn.run(expect_refusal(signal, notes));
  EXPECT_EQ(notes, Notes{"refused"});
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"refused", "notified"}));
}

TEST_F(SignalTest, ANewWaiterMayComeOnceTheFirstIsWoken) {
  turn.run(wait_once(signal, notes));
  signal.notify();
  turn.nursery.spawn(wait_always(signal, notes));
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"notified"});
  EXPECT_TRUE(signal.has_waiter());
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"notified", "woken"}));
}

TEST_F(SignalTest, MayDieBeforeWhoWaitsOnIt) {
  auto mortal = std::make_unique<Signal>(turn.scheduler);
  turn.run(wait_once(*mortal, notes, turn.now() + 1s));
  mortal.reset();
  EXPECT_FALSE(turn.scheduler.timers().next());
  turn.pass(2s);
  EXPECT_TRUE(notes.empty());
  turn.nursery.cancel();
}

TEST_F(SignalTest, MayDieBetweenNewsAndTheirArrival) {
  auto mortal = std::make_unique<Signal>(turn.scheduler);
  turn.run(wait_once(*mortal, notes));
  mortal->notify();
  mortal.reset();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"notified"});
}

TEST_F(SignalTest, MayDieBetweenTheDeadlineAndItsArrival) {
  auto mortal = std::make_unique<Signal>(turn.scheduler);
  turn.run(wait_once(*mortal, notes, turn.now() + 1s));
  turn.scheduler.advance(turn.now() + 2s);
  mortal.reset();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"timed out"});
}

TEST_F(SignalTest, MayDieWithANewWaiterBeforeTheWokenOneRuns) {
  auto mortal = std::make_unique<Signal>(turn.scheduler);
  turn.run(wait_once(*mortal, notes));
  mortal->notify();
  turn.nursery.spawn(wait_always(*mortal, notes));
  mortal.reset();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"notified"});
}

Task<void> sleep_once(Scheduler& scheduler, Duration duration, Notes& notes) {
  co_await sleep_for(scheduler, duration);
  notes.push_back("awake");
}

TEST(Sleep, EndsInTime) {
  Turn turn;
  Notes notes;
  turn.run(sleep_once(turn.scheduler, 1s, notes));
  turn.pass(999ms);
  EXPECT_TRUE(notes.empty());
  turn.pass(5ms);
  EXPECT_EQ(notes, Notes{"awake"});
}

TEST(Sleep, OfNothingDoesNotWait) {
  Turn turn;
  Notes notes;
  turn.nursery.spawn(sleep_once(turn.scheduler, 0s, notes));
  turn.nursery.spawn(sleep_once(turn.scheduler, -1s, notes));
  EXPECT_EQ(notes.size(), 2u);
}

TEST(Sleep, EndsInTheOrderOfTime) {
  Turn turn;
  std::vector<std::string> notes;
  struct {
    static Task<void> sleeper(Scheduler& scheduler, Duration duration, Notes& to, std::string word) {
      co_await sleep_for(scheduler, duration);
      to.push_back(word);
    }
  } local;
  turn.run(local.sleeper(turn.scheduler, 3s, notes, "third"));
  turn.run(local.sleeper(turn.scheduler, 1s, notes, "first"));
  turn.run(local.sleeper(turn.scheduler, 2s, notes, "second"));
  turn.pass(1h);
  EXPECT_EQ(notes, (Notes{"first", "second", "third"}));
}

}  // namespace
}  // namespace sallyport::async
