#include "gateway/async/when.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "gateway/base/ensure.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

using namespace std::chrono_literals;

Task<int> marked(Signal& signal, int value, Notes& notes) {
  Farewell farewell(notes, std::to_string(value) + " freed");
  co_await signal.wait();
  notes.push_back(std::to_string(value) + " ended");
  co_return value;
}

Task<int> failing(Signal& signal, std::string what) {
  co_await signal.wait();
  throw std::runtime_error(what);
}

// Runs a task and notes what came of it.
template <class T, class Write>
Task<void> note_outcome(Task<T> task, Notes& notes, Write write) {
  try {
    notes.push_back(write(co_await std::move(task)));
  } catch (const std::exception& error) {
    notes.push_back(std::string("threw ") + error.what());
  }
}

std::string write_all(const std::vector<int>& results) {
  std::string out = "all";
  for (int result : results) out += " " + std::to_string(result);
  return out;
}
std::string write_any(const std::pair<std::size_t, int>& winner) {
  return "winner " + std::to_string(winner.first) + ": " + std::to_string(winner.second);
}

template <class... Tasks>
std::vector<Task<int>> tasks(Tasks... each) {
  std::vector<Task<int>> all;
  (all.push_back(std::move(each)), ...);
  return all;
}

struct When : testing::Test {
  void all(std::vector<Task<int>> each) {
    turn.run(note_outcome(when_all(turn.scheduler, std::move(each)), notes, write_all));
  }
  void any(std::vector<Task<int>> each) {
    turn.run(note_outcome(when_any(turn.scheduler, std::move(each)), notes, write_any));
  }
  void tell(Signal& signal) {
    signal.notify();
    turn.scheduler.run_ready();
  }

  Turn turn;
  Notes notes;
  Signal a{turn.scheduler}, b{turn.scheduler}, c{turn.scheduler};
};

TEST_F(When, AllGivesResultsInTheOrderOfTheTasks) {
  all(tasks(after(a, 1), at_once(2), after(b, 3)));
  tell(b);
  EXPECT_TRUE(notes.empty());
  tell(a);
  EXPECT_EQ(notes, Notes{"all 1 2 3"});
}

TEST_F(When, AllOfNothingIsNothing) {
  all({});
  EXPECT_EQ(notes, Notes{"all"});
}

TEST_F(When, AllOfTasksThatEndAtOnceDoesNotWait) {
  turn.nursery.spawn(note_outcome(when_all(turn.scheduler, tasks(at_once(1), at_once(2))), notes, write_all));
  EXPECT_EQ(notes, Notes{"all 1 2"});
}

TEST_F(When, AllRunBesideEachOther) {
  all(tasks(after(turn.scheduler, 2s, 1), after(turn.scheduler, 2s, 2), after(turn.scheduler, 1s, 3)));
  turn.pass(2s + 4ms);
  EXPECT_EQ(notes, Notes{"all 1 2 3"});
}

TEST_F(When, AllThrowsTheFirstErrorWhenAllHaveEnded) {
  all(tasks(failing(a, "a"), marked(b, 2, notes), failing(c, "c")));
  tell(c);
  tell(a);
  EXPECT_TRUE(notes.empty());
  tell(b);
  EXPECT_EQ(notes, (Notes{"2 ended", "2 freed", "threw c"}));
}

TEST_F(When, AllEndedFromOutsideEndsItsTasks) {
  all(tasks(marked(a, 1, notes), marked(b, 2, notes)));
  turn.nursery.cancel();
  EXPECT_EQ(notes, (Notes{"1 freed", "2 freed"}));
  EXPECT_FALSE(a.has_waiter());
  EXPECT_FALSE(b.has_waiter());
}

Task<void> wait_for(Signal& signal) { co_await signal.wait(); }

Task<void> all_of_void(Scheduler& scheduler, Signal& a, Signal& b, Notes& notes) {
  std::vector<Task<void>> both;
  both.push_back(wait_for(a));
  both.push_back(wait_for(b));
  co_await when_all(scheduler, std::move(both));
  notes.push_back("both");
}

TEST_F(When, AllOfTasksWithoutResult) {
  turn.run(all_of_void(turn.scheduler, a, b, notes));
  tell(a);
  EXPECT_TRUE(notes.empty());
  tell(b);
  EXPECT_EQ(notes, Notes{"both"});
}

Task<std::unique_ptr<int>> box(int value) { co_return std::make_unique<int>(value); }

TEST_F(When, AllMovesItsResults) {
  std::vector<Task<std::unique_ptr<int>>> boxes;
  boxes.push_back(box(7));
  auto write = [](std::vector<std::unique_ptr<int>> results) { return std::to_string(*results.at(0)); };
  turn.run(note_outcome(when_all(turn.scheduler, std::move(boxes)), notes, write));
  EXPECT_EQ(notes, Notes{"7"});
}

TEST_F(When, AnyGivesTheFirstAndEndsTheLosersBeforeItReturns) {
  any(tasks(marked(a, 1, notes), marked(b, 2, notes), marked(c, 3, notes)));
  tell(b);
  EXPECT_EQ(notes, (Notes{"2 ended", "2 freed", "1 freed", "3 freed", "winner 1: 2"}));
  EXPECT_FALSE(a.has_waiter());
  EXPECT_FALSE(c.has_waiter());
}

TEST_F(When, AnyDoesNotStartWhatComesBehindAWinner) {
  struct {
    static Task<int> loud(Notes& notes) {
      notes.push_back("started");
      co_return 9;
    }
  } local;
  any(tasks(after(a, 1), at_once(2), local.loud(notes)));
  EXPECT_EQ(notes, Notes{"winner 1: 2"});
}

TEST_F(When, AnyHasOneWinnerWhenTwoEndInOneTurn) {
  any(tasks(marked(a, 1, notes), marked(b, 2, notes)));
  b.notify();
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.back(), "winner 1: 2");
}

TEST_F(When, AnyPassesOverTasksThatThrow) {
  any(tasks(failing(a, "a"), after(b, 2)));
  tell(a);
  EXPECT_TRUE(notes.empty());
  tell(b);
  EXPECT_EQ(notes, Notes{"winner 1: 2"});
}

TEST_F(When, AnyThrowsTheFirstErrorWhenAllHaveThrown) {
  any(tasks(failing(a, "a"), failing(b, "b")));
  tell(b);
  EXPECT_TRUE(notes.empty());
  tell(a);
  EXPECT_EQ(notes, Notes{"threw b"});
}

TEST_F(When, AnyOfNothingIsAMistake) {
  any({});
  EXPECT_EQ(notes, Notes{"threw when_any: of nothing"});
}

TEST_F(When, AnyEndedFromOutsideEndsItsTasks) {
  any(tasks(marked(a, 1, notes), marked(b, 2, notes)));
  turn.nursery.cancel();
  EXPECT_EQ(notes, (Notes{"1 freed", "2 freed"}));
}

}  // namespace
}  // namespace sallyport::async
