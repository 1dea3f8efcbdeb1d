#include "gateway/async/nursery.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include "gateway/base/ensure.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

using namespace std::chrono_literals;

Task<void> child(Signal& signal, Notes& notes, std::string name) {
  Farewell farewell(notes, name + " freed");
  notes.push_back(name + " started");
  co_await signal.wait();
  notes.push_back(name + " ended");
}

Task<void> nothing() { co_return; }

Task<void> fail(Signal& signal, std::string what) {
  co_await signal.wait();
  throw std::runtime_error(what);
}

Task<void> join_and_note(Nursery& nursery, Notes& notes) {
  try {
    co_await nursery.join();
    notes.push_back("joined");
  } catch (const std::runtime_error& error) {
    notes.push_back(std::string("joined: ") + error.what());
  }
}

struct NurseryTest : testing::Test {
  Turn turn;  // its nursery holds those who join
  Notes notes;
  Signal a{turn.scheduler}, b{turn.scheduler};
};

TEST_F(NurseryTest, StartsAChildAtOnceAndLetsItFreeItself) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  EXPECT_EQ(notes, Notes{"a started"});
  EXPECT_EQ(nursery.size(), 1u);
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"a started", "a ended", "a freed"}));
  EXPECT_EQ(nursery.size(), 0u);
}

TEST_F(NurseryTest, TakesAMillionChildrenThatEndAtOnce) {
  Nursery nursery(turn.scheduler);
  for (int i = 0; i < 1'000'000; ++i) nursery.spawn(nothing());
  EXPECT_EQ(nursery.size(), 0u);
}

TEST_F(NurseryTest, EndsWhoStillWaitsWhenItDies) {
  {
    Nursery nursery(turn.scheduler);
    nursery.spawn(child(a, notes, "a"));
    nursery.spawn(child(b, notes, "b"));
    a.notify();  // woken, and never resumed
  }
  EXPECT_EQ(notes, (Notes{"a started", "b started", "a freed", "b freed"}));
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.size(), 4u);
  EXPECT_FALSE(b.has_waiter());
}

TEST_F(NurseryTest, CanBeUsedAgainAfterCancel) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  nursery.cancel();
  nursery.cancel();
  EXPECT_EQ(nursery.size(), 0u);
  nursery.spawn(child(a, notes, "again"));
  EXPECT_EQ(nursery.size(), 1u);
}

TEST_F(NurseryTest, JoinWaitsForAll) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  nursery.spawn(child(b, notes, "b"));
  turn.run(join_and_note(nursery, notes));
  notes.clear();
  b.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"b ended", "b freed"}));
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"b ended", "b freed", "a ended", "a freed", "joined"}));
}

TEST_F(NurseryTest, JoinOfAnEmptyOneDoesNotWait) {
  Nursery nursery(turn.scheduler);
  turn.nursery.spawn(join_and_note(nursery, notes));
  EXPECT_EQ(notes, Notes{"joined"});
}

TEST_F(NurseryTest, JoinThrowsTheFirstErrorAfterAllHaveEnded) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(fail(b, "second"));
  nursery.spawn(fail(a, "first"));
  Signal c(turn.scheduler);
  nursery.spawn(child(c, notes, "sibling"));
  turn.run(join_and_note(nursery, notes));
  notes.clear();
  a.notify();
  turn.scheduler.run_ready();
  b.notify();
  turn.scheduler.run_ready();
  EXPECT_TRUE(notes.empty());
  c.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"sibling ended", "sibling freed", "joined: first"}));
  turn.run(join_and_note(nursery, notes));
  EXPECT_EQ(notes.back(), "joined");  // told once
}

TEST_F(NurseryTest, JoinThrowsTheErrorOfAChildThatFailedAtOnce) {
  Nursery nursery(turn.scheduler);
  a.notify();
  nursery.spawn(fail(a, "at once"));
  EXPECT_EQ(nursery.size(), 0u);
  turn.run(join_and_note(nursery, notes));
  EXPECT_EQ(notes, Notes{"joined: at once"});
}

TEST_F(NurseryTest, CancelWakesWhoJoins) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  turn.run(join_and_note(nursery, notes));
  notes.clear();
  nursery.cancel();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"a freed", "joined"}));
}

TEST_F(NurseryTest, MayDieBeforeWhoJoins) {
  auto nursery = std::make_unique<Nursery>(turn.scheduler);
  nursery->spawn(child(a, notes, "a"));
  turn.run(join_and_note(*nursery, notes));
  notes.clear();
  nursery.reset();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"a freed", "joined"}));
}

TEST_F(NurseryTest, MayDieBetweenItsLastChildAndWhoJoins) {
  auto nursery = std::make_unique<Nursery>(turn.scheduler);
  nursery->spawn(child(a, notes, "a"));
  turn.run(join_and_note(*nursery, notes));
  a.notify();
  // The child ends in this turn, the joiner is behind it in the queue: what runs between them takes the nursery away.
  struct {
    static Task<void> destroy(Signal& signal, std::unique_ptr<Nursery>& nursery) {
      co_await signal.wait();
      nursery.reset();
    }
  } local;
  turn.nursery.spawn(local.destroy(b, nursery));
  b.notify();
  turn.scheduler.run_ready();
  EXPECT_FALSE(nursery);
  EXPECT_EQ(notes.back(), "joined");
}

TEST_F(NurseryTest, ForgetsAJoinerThatIsEnded) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  turn.run(join_and_note(nursery, notes));
  turn.nursery.cancel();
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.back(), "a freed");
}

Task<void> expect_refused_join(Nursery& nursery, Notes& notes) {
  try {
    co_await nursery.join();
  } catch (const BrokenInvariant&) {
    notes.push_back("refused");
  }
}

TEST_F(NurseryTest, HasOneJoiner) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(child(a, notes, "a"));
  turn.run(join_and_note(nursery, notes));
  turn.run(expect_refused_join(nursery, notes));
  EXPECT_EQ(notes.back(), "refused");
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.back(), "joined");
}

Task<void> spawn_another(Nursery& nursery, Signal& signal, Notes& notes, int generations) {
  notes.push_back("born " + std::to_string(generations));
  if (generations > 0) nursery.spawn(spawn_another(nursery, signal, notes, generations - 1));
  if (generations == 0) co_await signal.wait();
  notes.push_back("died " + std::to_string(generations));
}

TEST_F(NurseryTest, AChildMaySpawnSiblings) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(spawn_another(nursery, a, notes, 2));
  EXPECT_EQ(notes, (Notes{"born 2", "born 1", "born 0", "died 1", "died 2"}));
  EXPECT_EQ(nursery.size(), 1u);
  turn.run(join_and_note(nursery, notes));
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.back(), "joined");
}

Task<void> spawn_and_stay(Nursery& nursery, Signal& start, Signal& rest, Notes& notes) {
  co_await start.wait();
  nursery.spawn(child(rest, notes, "late"));
}

TEST_F(NurseryTest, JoinWaitsForChildrenOfChildrenToo) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(spawn_and_stay(nursery, a, b, notes));
  turn.run(join_and_note(nursery, notes));
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, Notes{"late started"});
  b.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.back(), "joined");
}

Task<void> with_inner_nursery(Scheduler& scheduler, Signal& signal, Notes& notes) {
  Farewell farewell(notes, "outer freed");
  Nursery inner(scheduler);
  inner.spawn(child(signal, notes, "inner"));
  co_await inner.join();
}

TEST_F(NurseryTest, OfACoroutineThatIsEndedEndsItsChildren) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(with_inner_nursery(turn.scheduler, a, notes));
  nursery.cancel();
  EXPECT_EQ(notes, (Notes{"inner started", "inner freed", "outer freed"}));
  a.notify();
  EXPECT_FALSE(turn.scheduler.has_ready());
}

Task<void> tell_another_on_the_way_out(Signal& waits, Signal& tells) {
  struct Teller {
    Signal& signal;
    ~Teller() { signal.notify(); }
  } teller{tells};
  co_await waits.wait();
}

TEST_F(NurseryTest, EndedChildrenMayTellEachOther) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(tell_another_on_the_way_out(a, b));
  nursery.spawn(child(b, notes, "b"));
  nursery.cancel();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"b started", "b freed"}));
}

TEST_F(NurseryTest, AnEmptyTaskIsAnErrorOfThatChild) {
  Nursery nursery(turn.scheduler);
  nursery.spawn(Task<void>());
  EXPECT_EQ(nursery.size(), 0u);
  turn.run(expect_refused_join(nursery, notes));
  EXPECT_EQ(notes, Notes{"refused"});
}

}  // namespace
}  // namespace sallyport::async
