#include "gateway/async/interruptible.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

Task<void> wait_then_note(Signal& signal, Notes& notes) {
  Farewell farewell(notes, "freed");
  co_await signal.wait();
  notes.push_back("done");
}

Task<void> nothing() { co_return; }

Task<void> fail_at_once() {
  throw std::runtime_error("broken");
  co_return;
}

Task<void> await_it(Interruptible& work, Notes& notes) {
  try {
    notes.push_back(co_await work ? "ended" : "interrupted");
  } catch (const std::runtime_error& error) {
    notes.push_back(error.what());
  }
}

struct InterruptibleTest : testing::Test {
  Turn turn;
  Notes notes;
  Signal signal{turn.scheduler};
};

TEST_F(InterruptibleTest, EndsByItself) {
  Interruptible work(turn.scheduler, wait_then_note(signal, notes));
  turn.run(await_it(work, notes));
  EXPECT_EQ(notes, Notes{});
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"done", "freed", "ended"}));
  work.interrupt();  // too late
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.size(), 3u);
}

TEST_F(InterruptibleTest, IsEndedWhereItWaits) {
  Interruptible work(turn.scheduler, wait_then_note(signal, notes));
  turn.run(await_it(work, notes));
  work.interrupt();
  work.interrupt();
  EXPECT_EQ(notes, Notes{"freed"});  // the one who awaits it goes on in the scheduler's time
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"freed", "interrupted"}));
  signal.notify();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes.size(), 2u);
}

TEST_F(InterruptibleTest, IsEndedWhenItHasBeenWokenAndHasNotRun) {
  Interruptible work(turn.scheduler, wait_then_note(signal, notes));
  turn.run(await_it(work, notes));
  signal.notify();
  work.interrupt();
  turn.scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"freed", "interrupted"}));
}

TEST_F(InterruptibleTest, PassesOnWhatEndsAtOnceOrThrows) {
  Interruptible quick(turn.scheduler, nothing());
  turn.run(await_it(quick, notes));
  Interruptible broken(turn.scheduler, fail_at_once());
  turn.run(await_it(broken, notes));
  EXPECT_EQ(notes, (Notes{"ended", "broken"}));
}

}  // namespace
}  // namespace sallyport::async
