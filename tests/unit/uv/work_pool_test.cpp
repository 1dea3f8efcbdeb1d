#include "gateway/uv/work_pool.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

using WorkPoolTest = OnLoopback;

Task<bool> wait_for_work(Loop& loop, std::atomic<bool>& ran) {
  auto job = [&ran] { ran = true; };
  co_await on_worker(loop, job);
  co_return true;
}

Task<void> work_slowly(Loop& loop, std::shared_ptr<std::atomic<int>> stage) {
  auto job = [stage] {
    *stage = 1;
    while (*stage == 1) std::this_thread::yield();
    *stage = 3;
  };
  co_await on_worker(loop, std::move(job));
  *stage = 99;
}

TEST_F(WorkPoolTest, RunsOnAnotherThreadAndGivesTheResult) {
  std::thread::id here = std::this_thread::get_id();
  auto job = [text = std::string("abc")] { return std::pair(text + "def", std::this_thread::get_id()); };
  auto [text, thread] = run(on_worker(loop, std::move(job)));
  EXPECT_EQ(text, "abcdef");
  EXPECT_NE(thread, here);
}

TEST_F(WorkPoolTest, MayGiveNothing) {
  std::atomic<bool> ran = false;
  EXPECT_TRUE(run(wait_for_work(loop, ran)));
  EXPECT_TRUE(ran);
}

TEST_F(WorkPoolTest, ThrowsWhatTheJobThrew) {
  auto job = []() -> int { throw std::runtime_error("job"); };
  EXPECT_THROW(std::ignore = run(on_worker(loop, job)), std::runtime_error);
}

TEST_F(WorkPoolTest, TheAskerMayBeGoneWhenTheJobEnds) {
  auto stage = std::make_shared<std::atomic<int>>(0);
  {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(work_slowly(loop, stage));
    while (*stage == 0) pass(1ms);
  }
  *stage = 2;
  while (*stage != 3) pass(1ms);
  pass(5ms);
  EXPECT_EQ(*stage, 3);
}

TEST(WorkPool, TheLoopWaitsForItsJobs) {
  auto stage = std::make_shared<std::atomic<int>>(0);
  {
    Loop loop;
    {
      async::Nursery nursery(loop.scheduler());
      nursery.spawn(work_slowly(loop, stage));
      while (*stage == 0) std::this_thread::yield();
    }
    *stage = 2;
  }
  EXPECT_EQ(*stage, 3);
}

}  // namespace
}  // namespace sallyport::uv
