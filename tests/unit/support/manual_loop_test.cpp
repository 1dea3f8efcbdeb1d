#include "tests/support/manual_loop.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"

namespace sallyport::support {
namespace {

using namespace std::chrono_literals;

Task<int> answer_after(async::Scheduler& scheduler, Duration wait, int answer) {
  co_await async::sleep_for(scheduler, wait);
  co_return answer;
}

Task<void> note_times(async::Scheduler& scheduler, std::vector<Duration>& times, Time start) {
  for (int i = 0; i < 3; ++i) {
    co_await async::sleep_for(scheduler, 100ms);
    times.push_back(scheduler.now() - start);
  }
}

Task<void> wait_for_ever(async::Scheduler& scheduler) {
  async::Signal nothing(scheduler);
  co_await nothing.wait();
}

Task<void> tick_for_ever(async::Scheduler& scheduler) {
  while (true) co_await async::sleep_for(scheduler, 1h);
}

Task<void> fail_later(async::Scheduler& scheduler) {
  co_await async::sleep_for(scheduler, 1s);
  throw std::runtime_error("later");
}

TEST(ManualLoop, RunsATaskToItsResultAndLetsTheTimePassThatItWaits) {
  ManualLoop loop;
  Time start = loop.now();
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 10min, 42)), 42);
  EXPECT_GE(loop.now() - start, 10min);
  EXPECT_LT(loop.now() - start, 10min + 10ms);
}

TEST(ManualLoop, AdvanceSkipsNoTimer) {
  ManualLoop loop;
  std::vector<Duration> times;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(note_times(loop.scheduler(), times, loop.now()));
  loop.advance(10s);
  ASSERT_EQ(times.size(), 3u);
  // Each sleep starts when the one before ended, though the clock was moved in one go.
  EXPECT_LT(times[0], 110ms);
  EXPECT_LT(times[1], 220ms);
  EXPECT_LT(times[2], 330ms);
  EXPECT_EQ(loop.now(), Time(1h) + 10s);
}

TEST(ManualLoop, NoTimePassesInRun) {
  ManualLoop loop;
  std::vector<Duration> times;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(note_times(loop.scheduler(), times, loop.now()));
  loop.run();
  EXPECT_TRUE(times.empty());
  EXPECT_EQ(loop.now(), Time(1h));
}

TEST(ManualLoop, FindsATaskThatCanNeverEnd) {
  ManualLoop loop;
  EXPECT_THROW(loop.run_until_done(wait_for_ever(loop.scheduler())), BrokenInvariant);
  EXPECT_THROW(loop.run_until_done(tick_for_ever(loop.scheduler())), BrokenInvariant);
}

TEST(ManualLoop, ThrowsWhatTheTaskThrew) {
  ManualLoop loop;
  EXPECT_THROW(loop.run_until_done(fail_later(loop.scheduler())), std::runtime_error);
}

}  // namespace
}  // namespace sallyport::support
