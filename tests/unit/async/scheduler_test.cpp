#include "gateway/async/scheduler.h"

#include <gtest/gtest.h>

#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<void> note_after(Signal& signal, Notes& notes, std::string word) {
  co_await signal.wait();
  notes.push_back(std::move(word));
}

TEST(Scheduler, ResumesInTheOrderOfPostingAndOnlyInRunReady) {
  Turn turn;
  Notes notes;
  Signal a(turn.scheduler), b(turn.scheduler);
  turn.run(note_after(a, notes, "a"));
  turn.run(note_after(b, notes, "b"));
  b.notify();
  a.notify();
  EXPECT_TRUE(notes.empty());
  EXPECT_TRUE(turn.scheduler.has_ready());
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"b", "a"}));
  EXPECT_FALSE(turn.scheduler.has_ready());
}

Task<void> pass_on(Signal& from, Signal& to, Notes& notes) {
  co_await from.wait();
  notes.push_back("passed on");
  to.notify();
}

TEST(Scheduler, RunsWhatBecomesReadyMeanwhile) {
  Turn turn;
  Notes notes;
  Signal a(turn.scheduler), b(turn.scheduler);
  turn.run(note_after(b, notes, "end"));
  turn.run(pass_on(a, b, notes));
  a.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"passed on", "end"}));
}

TEST(Scheduler, PostingTwiceIsPostingOnce) {
  Scheduler scheduler{Time{}};
  ReadyNode node(std::noop_coroutine());
  scheduler.post(node);
  scheduler.post(node);
  EXPECT_TRUE(node.is_posted());
  scheduler.run_ready();
  EXPECT_FALSE(node.is_posted());
  EXPECT_FALSE(scheduler.has_ready());
}

TEST(Scheduler, ANodeThatDiesIsNotResumed) {
  Scheduler scheduler{Time{}};
  {
    ReadyNode node;  // no coroutine: resuming it would crash
    scheduler.post(node);
  }
  EXPECT_FALSE(scheduler.has_ready());
  scheduler.run_ready();
}

TEST(Scheduler, TimeOnlyMovesForward) {
  Scheduler scheduler{Time(seconds(10))};
  scheduler.advance(Time(seconds(5)));
  EXPECT_EQ(scheduler.now(), Time(seconds(10)));
  scheduler.advance(Time(milliseconds(10'001)));
  EXPECT_EQ(scheduler.now(), Time(milliseconds(10'001)));
}

}  // namespace
}  // namespace sallyport::async
