#include "gateway/async/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "gateway/base/result.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

Task<void> note(Notes& notes, std::string word) {
  notes.push_back(std::move(word));
  co_return;
}

TEST(Task, IsLazy) {
  Notes notes;
  Turn turn;
  Task<void> task = note(notes, "ran");
  EXPECT_TRUE(notes.empty());
  turn.run(std::move(task));
  EXPECT_EQ(notes, Notes{"ran"});
}

TEST(Task, ThatIsNeverStartedFreesItsArguments) {
  auto held = std::make_shared<int>(1);
  struct {
    static Task<void> hold(std::shared_ptr<int>) { co_return; }
  } lazy;
  {
    Task<void> task = lazy.hold(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

Task<void> add_up(int& sum, int n) {
  for (int i = 0; i < n; ++i) sum += co_await at_once(1);
}

// Children that complete at once must not leave anything on the stack, whatever the compiler makes of tail calls.
TEST(Task, AMillionChildrenThatCompleteAtOnce) {
  Turn turn;
  int sum = 0;
  turn.run(add_up(sum, 1'000'000));
  EXPECT_EQ(sum, 1'000'000);
}

Task<void> ask_often(Signal& ask, Signal& answer, int& answers, int n) {
  for (int i = 0; i < n; ++i) {
    ask.notify();
    answers += co_await after(answer, 1);
  }
}
Task<void> answer_often(Signal& ask, Signal& answer, int n) {
  for (int i = 0; i < n; ++i) {
    co_await after(ask, 1);
    answer.notify();
  }
}

TEST(Task, HundredThousandChildrenThatWait) {
  Turn turn;
  Signal a(turn.scheduler), b(turn.scheduler);
  int answers = 0;
  turn.nursery.spawn(ask_often(a, b, answers, 100'000));
  turn.nursery.spawn(answer_often(a, b, 100'000));
  turn.scheduler.run_ready();
  EXPECT_EQ(answers, 100'000);
  EXPECT_EQ(turn.nursery.size(), 0u);
}

Task<int> nested(Scheduler& scheduler, int depth) {
  if (depth == 0) {
    co_await sleep_for(scheduler, std::chrono::seconds(1));
    co_return 0;
  }
  co_return 1 + co_await nested(scheduler, depth - 1);
}

Task<void> keep(Task<int> task, int& place) { place = co_await std::move(task); }

TEST(Task, ResultsTravelThroughManyWaitingParents) {
  Turn turn;
  int depth = -1;
  turn.run(keep(nested(turn.scheduler, 500), depth));
  EXPECT_EQ(depth, -1);
  turn.pass(std::chrono::seconds(2));
  EXPECT_EQ(depth, 500);
}

Task<std::unique_ptr<std::string>> boxed(std::string text) { co_return std::make_unique<std::string>(std::move(text)); }
Task<Result<int, std::string>> fallible(bool good) {
  if (!good) co_return std::string("no");
  co_return 7;
}
Task<void> take_all_kinds(Notes& notes) {
  auto box = co_await boxed("moved");
  notes.push_back(*box);
  auto good = co_await fallible(true);
  notes.push_back(std::to_string(*good));
  auto bad = co_await fallible(false);
  notes.push_back(bad.error());
}

TEST(Task, GivesMoveOnlyValuesAndResults) {
  Turn turn;
  Notes notes;
  turn.run(take_all_kinds(notes));
  EXPECT_EQ(notes, (Notes{"moved", "7", "no"}));
}

Task<int> fail_at_once() {
  throw std::runtime_error("at once");
  co_return 0;
}
Task<void> fail_later(Scheduler& scheduler) {
  co_await sleep_for(scheduler, std::chrono::seconds(1));
  throw std::runtime_error("later");
}
Task<void> catch_both(Scheduler& scheduler, Notes& notes) {
  try {
    co_await fail_at_once();
    notes.push_back("unreachable");
  } catch (const std::runtime_error& error) {
    notes.push_back(error.what());
  }
  try {
    co_await fail_later(scheduler);
    notes.push_back("unreachable");
  } catch (const std::runtime_error& error) {
    notes.push_back(error.what());
  }
  notes.push_back("went on");
}

TEST(Task, WhatItThrowsIsThrownAtItsAwait) {
  Turn turn;
  Notes notes;
  turn.run(catch_both(turn.scheduler, notes));
  EXPECT_EQ(notes, Notes{"at once"});
  turn.pass(std::chrono::seconds(2));
  EXPECT_EQ(notes, (Notes{"at once", "later", "went on"}));
}

struct ThrowsWhenMoved {
  ThrowsWhenMoved() = default;
  ThrowsWhenMoved(ThrowsWhenMoved&&) { throw std::runtime_error("result"); }
};
Task<ThrowsWhenMoved> give_what_throws() {
  ThrowsWhenMoved value;
  co_return std::move(value);
}
Task<void> take_what_throws(Notes& notes) {
  try {
    co_await give_what_throws();
  } catch (const std::runtime_error& error) {
    notes.push_back(error.what());
  }
}

TEST(Task, AResultThatCannotBeStoredIsAnError) {
  Turn turn;
  Notes notes;
  turn.run(take_what_throws(notes));
  EXPECT_EQ(notes, Notes{"result"});
}

Task<void> sleep_inside(Scheduler& scheduler, Notes& notes, std::string name) {
  Farewell farewell(notes, name);
  co_await sleep_for(scheduler, std::chrono::seconds(1));
  notes.push_back("unreachable");
}
Task<void> sleep_outside(Scheduler& scheduler, Notes& notes) {
  Farewell farewell(notes, "outer");
  co_await sleep_inside(scheduler, notes, "inner");
}

TEST(Task, DestroyedWhileItWaitsTakesItselfOutOfEverything) {
  Turn turn;
  Notes notes;
  turn.run(sleep_outside(turn.scheduler, notes));
  EXPECT_TRUE(turn.scheduler.timers().next());
  turn.nursery.cancel();
  EXPECT_EQ(notes, (Notes{"inner", "outer"}));
  EXPECT_FALSE(turn.scheduler.timers().next());
  turn.pass(std::chrono::hours(1));
  EXPECT_EQ(notes.size(), 2u);
}

TEST(Task, DestroyedWhileItIsReadyIsNotResumed) {
  Turn turn;
  Notes notes;
  turn.run(sleep_outside(turn.scheduler, notes));
  turn.scheduler.advance(turn.now() + std::chrono::seconds(2));
  EXPECT_TRUE(turn.scheduler.has_ready());
  turn.nursery.cancel();
  EXPECT_FALSE(turn.scheduler.has_ready());
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"inner", "outer"}));
}

Task<void> await_twice(Notes& notes) {
  Task<int> task = at_once(1);
  notes.push_back(std::to_string(co_await std::move(task)));
  try {
    co_await std::move(task);
  } catch (const BrokenInvariant&) {
    notes.push_back("refused");
  }
  try {
    co_await Task<int>();
  } catch (const BrokenInvariant&) {
    notes.push_back("refused");
  }
}

TEST(Task, IsAwaitedOnce) {
  Turn turn;
  Notes notes;
  turn.run(await_twice(notes));
  EXPECT_EQ(notes, (Notes{"1", "refused", "refused"}));
}

TEST(Task, MovesAndResets) {
  auto held = std::make_shared<int>(1);
  struct {
    static Task<void> hold(std::shared_ptr<int>) { co_return; }
  } lazy;
  Task<void> a = lazy.hold(held), b = lazy.hold(held);
  EXPECT_EQ(held.use_count(), 3);
  b = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_TRUE(b);
  EXPECT_EQ(held.use_count(), 2);
  b.reset();
  b.reset();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace sallyport::async
