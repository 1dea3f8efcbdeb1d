#include "gateway/async/lock.h"

#include <gtest/gtest.h>

#include <memory>

#include "gateway/async/nursery.h"
#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

struct LockTest : testing::Test {
  Task<void> hold(std::string name, Signal& until) {
    Lock::Held held = co_await lock.take();
    notes.push_back(name);
    co_await until.wait();
  }
  void end(Signal& until) {
    until.notify();
    scheduler.run_ready();
  }

  Scheduler scheduler{Time()};
  Lock lock{scheduler};
  Notes notes;
  Signal first{scheduler}, second{scheduler}, third{scheduler};
};

TEST_F(LockTest, IsHadInTheOrderOfAsking) {
  Nursery nursery(scheduler);
  nursery.spawn(hold("first", first));
  nursery.spawn(hold("second", second));
  nursery.spawn(hold("third", third));
  EXPECT_EQ(notes, (Notes{"first"}));
  end(first);
  EXPECT_EQ(notes, (Notes{"first", "second"}));
  EXPECT_TRUE(lock.is_held());
  end(second);
  end(third);
  EXPECT_EQ(notes, (Notes{"first", "second", "third"}));
  EXPECT_FALSE(lock.is_held());
}

TEST_F(LockTest, WhoGoesWhileWaitingIsPassedOver) {
  Nursery nursery(scheduler);
  auto impatient = std::make_unique<Nursery>(scheduler);
  nursery.spawn(hold("first", first));
  impatient->spawn(hold("second", second));
  nursery.spawn(hold("third", third));
  impatient.reset();
  end(first);
  EXPECT_EQ(notes, (Notes{"first", "third"}));
}

TEST_F(LockTest, WhoGoesWhenItsTurnHasComeLeavesItToTheNext) {
  Nursery nursery(scheduler);
  auto holder = std::make_unique<Nursery>(scheduler);
  auto impatient = std::make_unique<Nursery>(scheduler);
  holder->spawn(hold("first", first));
  impatient->spawn(hold("second", second));
  nursery.spawn(hold("third", third));
  holder.reset();  // wakes the second, which does not run any more
  impatient.reset();
  scheduler.run_ready();
  EXPECT_EQ(notes, (Notes{"first", "third"}));
}

}  // namespace
}  // namespace sallyport::async
