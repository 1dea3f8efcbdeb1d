#include "gateway/uv/work_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

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

Task<void> note_number(Loop& loop, std::shared_ptr<std::vector<int>> order, int number) {
  auto job = [order, number] { order->push_back(number); };
  co_await on_worker(loop, std::move(job));
}

Task<void> count_one(Loop& loop, std::atomic<int>& done) {
  auto job = [&done] { ++done; };
  co_await on_worker(loop, job);
}

// Ends when four jobs have begun.
Task<void> meet(Loop& loop, std::atomic<int>& meeting, std::atomic<int>& done) {
  auto job = [&meeting] {
    ++meeting;
    while (meeting < 4) std::this_thread::yield();
  };
  co_await on_worker(loop, job);
  ++done;
}

Task<bool> join(async::Nursery& nursery) {
  co_await nursery.join();
  co_return true;
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
  const auto work_pool = WorkPool::start(1).value();
  auto stage = std::make_shared<std::atomic<int>>(0);
  {
    Loop loop(work_pool.get());
    {
      async::Nursery nursery(loop.scheduler());
      nursery.spawn(work_slowly(loop, stage));
      while (*stage == 0) std::this_thread::yield();
    }
    *stage = 2;
  }
  EXPECT_EQ(*stage, 3);
}

// One thread is busy with another job: those behind it have not begun.
TEST_F(WorkPoolTest, AJobThatHasNotBegunIsTakenBack) {
  auto busy = std::make_shared<std::atomic<int>>(0);
  std::vector<std::shared_ptr<std::atomic<int>>> stages;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(work_slowly(loop, busy));
  while (*busy == 0) pass(1ms);
  std::vector<std::unique_ptr<async::Nursery>> askers;
  for (int i = 0; i < 4; ++i) {
    askers.push_back(std::make_unique<async::Nursery>(loop.scheduler()));
    stages.push_back(std::make_shared<std::atomic<int>>(2));  // does not wait for us
    askers.back()->spawn(work_slowly(loop, stages.back()));
  }
  for (const int gone : {1, 3, 0}) {  // in the middle, at the end, at the beginning
    askers[static_cast<std::size_t>(gone)].reset();
    EXPECT_EQ(stages[static_cast<std::size_t>(gone)].use_count(), 1) << gone;
  }
  *stages[2] = 0;
  *busy = 2;
  while (*stages[2] == 0) pass(1ms);
  EXPECT_EQ(*stages[2], 1);
  *stages[2] = 2;
  while (*stages[2] != 99) pass(1ms);
  for (const int gone : {1, 3, 0}) EXPECT_EQ(*stages[static_cast<std::size_t>(gone)], 2) << gone;
  EXPECT_EQ(*busy, 99);
}

TEST_F(WorkPoolTest, JobsOfOneLoopBeginInTheirOrder) {
  auto busy = std::make_shared<std::atomic<int>>(0);
  auto order = std::make_shared<std::vector<int>>();  // written by the pool's only thread
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(work_slowly(loop, busy));
  while (*busy == 0) pass(1ms);
  for (int i = 0; i < 50; ++i) nursery.spawn(note_number(loop, order, i));
  *busy = 2;
  run(join(nursery));
  std::vector<int> wanted(50);
  std::iota(wanted.begin(), wanted.end(), 0);
  EXPECT_EQ(*order, wanted);
}

// Jobs on all four threads at once, after which each of them is idle. Gives how many have been done.
int keep_all_busy(Loop& loop) {
  std::atomic<int> meeting = 0;
  std::atomic<int> done = 0;
  async::Nursery nursery(loop.scheduler());
  for (int i = 0; i < 4; ++i) nursery.spawn(meet(loop, meeting, done));
  loop.run_until_done(join(nursery));
  return done;
}

// So that the heap of one thread grows to what a job takes, not those of all, and one after the other.
TEST(WorkPool, JobsThatFollowEachOtherAreForOneThread) {
  const auto work_pool = WorkPool::start(4).value();
  Loop loop(work_pool.get());
  std::set<std::thread::id> threads;
  for (int burst = 0; burst < 20; ++burst) {
    keep_all_busy(loop);
    for (int i = 0; i < 100; ++i) threads.insert(loop.run_until_done(on_worker(loop, std::this_thread::get_id)));
  }
  EXPECT_EQ(threads.size(), 1u);
}

Task<void> hold_thread(Loop& loop, std::atomic<int>& begun, const std::atomic<bool>& go_on) {
  auto job = [&begun, &go_on] {
    ++begun;
    while (!go_on) std::this_thread::yield();
  };
  co_await on_worker(loop, job);
}

// The others serve while those before them are busy, and no longer, whoever has worked last.
TEST(WorkPool, TheFirstThreadWorksAgainWhenItIsIdle) {
  const auto work_pool = WorkPool::start(4).value();
  Loop loop(work_pool.get());
  keep_all_busy(loop);
  const auto worker = [&loop] { return loop.run_until_done(on_worker(loop, std::this_thread::get_id)); };
  const std::thread::id first = worker();
  std::atomic<int> begun = 0;
  std::atomic<bool> first_goes_on = false;
  std::atomic<bool> second_goes_on = false;
  async::Nursery first_job(loop.scheduler());
  async::Nursery second_job(loop.scheduler());
  first_job.spawn(hold_thread(loop, begun, first_goes_on));
  while (begun < 1) std::this_thread::yield();
  const std::thread::id second = worker();
  EXPECT_NE(second, first);
  second_job.spawn(hold_thread(loop, begun, second_goes_on));
  while (begun < 2) std::this_thread::yield();
  EXPECT_NE(worker(), second);
  first_goes_on = true;
  loop.run_until_done(join(first_job));
  second_goes_on = true;
  loop.run_until_done(join(second_job));
  EXPECT_EQ(worker(), first);
}

TEST(WorkPool, JobsAtOnceHaveAThreadEach) {
  const auto work_pool = WorkPool::start(4).value();
  Loop loop(work_pool.get());
  EXPECT_EQ(keep_all_busy(loop), 4);
}

// Asks for jobs again and again, and leaves before they are done in each third round; the loop ends under the last
// ones.
void use_up(std::unique_ptr<Loop> loop, std::atomic<int>& done) {
  for (int round = 0; round < 100; ++round) {
    async::Nursery nursery(loop->scheduler());
    for (int i = 0; i < 8; ++i) nursery.spawn(count_one(*loop, done));
    if (round % 3 != 0) loop->run_until_done(join(nursery));
  }
}

TEST(WorkPool, ManyLoopsShareIt) {
  const auto work_pool = WorkPool::start(3).value();
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<Loop>> loops;
    for (int i = 0; i < 4; ++i) loops.push_back(std::make_unique<Loop>(work_pool.get()));
    for (auto& loop : loops)
      threads.emplace_back([&done, loop = std::move(loop)]() mutable { use_up(std::move(loop), done); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_GE(done, 4 * 66 * 8);  // those of the rounds that waited
    EXPECT_LE(done, 4 * 100 * 8);
  }
}

TEST(WorkPool, WithoutAThreadItIsNotMade) {
  const auto try_it = [] {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    const auto work_pool = WorkPool::start(3);
    ::_exit(!work_pool && !work_pool.error().message.empty() ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sallyport::uv
