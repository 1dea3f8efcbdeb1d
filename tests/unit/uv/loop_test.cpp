#include "gateway/uv/loop.h"

#include <sys/resource.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "gateway/async/background.h"
#include "gateway/uv/clock.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

Task<int> answer_after(async::Scheduler& scheduler, Duration wait) {
  co_await async::sleep_for(scheduler, wait);
  co_return 42;
}

Task<int> answer_at_once() { co_return 7; }

Task<void> fail() {
  throw std::runtime_error("no");
  co_return;
}

Task<void> wait_for(async::Signal& signal, int& woken) {
  while (true) {
    co_await signal.wait();
    ++woken;
  }
}

Task<void> set_and_clear(async::Scheduler& scheduler, Duration deadline, int times) {
  async::Signal signal(scheduler);
  for (int i = 0; i < times; ++i) {
    signal.notify();
    co_await signal.wait(scheduler.now() + deadline);
  }
}

TEST(Loop, RunsATaskToItsEnd) {
  Loop loop;
  EXPECT_EQ(loop.run_until_done(answer_at_once()), 7);
  Time start = Loop::now();
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 30ms)), 42);
  EXPECT_GE(Loop::now() - start, 30ms);
  EXPECT_LT(Loop::now() - start, 5s);
  EXPECT_THROW(loop.run_until_done(fail()), std::runtime_error);
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 1ms)), 42);
}

TEST(Loop, FiresTimersInTheirOrderWhateverWasSetFirst) {
  Loop loop;
  std::vector<int> order;
  async::Nursery nursery(loop.scheduler());
  auto note = [](async::Scheduler& scheduler, Duration wait, std::vector<int>& into, int number) -> Task<void> {
    co_await async::sleep_for(scheduler, wait);
    into.push_back(number);
  };
  nursery.spawn(note(loop.scheduler(), 60ms, order, 3));
  nursery.spawn(note(loop.scheduler(), 10ms, order, 1));
  nursery.spawn(note(loop.scheduler(), 30ms, order, 2));
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 100ms)), 42);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Loop, KeepsTheTimeOfTheSteadyClock) {
  Time ours = Loop::now();
  Time steady = std::chrono::steady_clock::now();
  EXPECT_LE(ours, steady);
  EXPECT_LT(steady - ours, 1s);
}

TEST(Loop, RunsWhatOtherThreadsPostInTheirOrder) {
  Loop loop;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.stop();
  });
  loop.run();
  other.join();
  loop.post([&loop] { loop.stop(); });
  loop.run();
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(Loop, APostedFunctionMayWakeACoroutine) {
  Loop loop;
  async::Signal signal(loop.scheduler());
  int woken = 0;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(wait_for(signal, woken));
  std::thread other([&] {
    loop.post([&signal] { signal.notify(); });
    // Posted too: a stop() before run() would end it with what was posted still waiting.
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(woken, 1);
}

TEST(Loop, AStopBeforeRunEndsThatRunOnly) {
  Loop loop;
  loop.stop();
  loop.run();
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 1ms)), 42);
}

TEST(Loop, AStopDuringATaskIsSaid) {
  Loop loop;
  loop.post([&loop] { loop.stop(); });
  EXPECT_THROW(loop.run_until_done(answer_after(loop.scheduler(), 1h)), BrokenInvariant);
}

TEST(Loop, ThrowsWhatAPostedFunctionThrew) {
  Loop loop;
  loop.post([] { throw std::runtime_error("posted"); });
  EXPECT_THROW(loop.run(), std::runtime_error);
  loop.stop();
  loop.run();
}

TEST(Loop, DropsWhatWasPostedTooLate) {
  std::atomic<int> ran = 0;
  {
    Loop loop;
    loop.post([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 0);
}

TEST(Loop, SleepsWhileNothingIsDue) {
  Loop loop;
  // Thousands of deadlines set and cleared leave no more behind than one alarm, and a distant one does not wake the
  // loop.
  loop.run_until_done(set_and_clear(loop.scheduler(), 300s, 10000));
  rusage before{};
  getrusage(RUSAGE_THREAD, &before);
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 200ms)), 42);
  rusage after{};
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 20);
}

Task<void> compute(async::Scheduler& scheduler, int& slices) {
  while (true) {
    co_await async::Background(scheduler);
    ++slices;
  }
}

TEST(Loop, ComputesInTheBackgroundWithoutSleepingUntilNobodyDoes) {
  Loop loop;
  int slices = 0;
  {
    async::Nursery nursery(loop.scheduler());
    for (int i = 0; i < 3; ++i) nursery.spawn(compute(loop.scheduler(), slices));
    const std::uint64_t before = loop.scheduler().turn();
    EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 200ms)), 42);
    EXPECT_GT(slices, 1000) << "it went on without waiting for an event";
    EXPECT_LE(static_cast<std::uint64_t>(slices), loop.scheduler().turn() - before + 1);
  }
  const std::uint64_t before = loop.scheduler().turn();
  EXPECT_EQ(loop.run_until_done(answer_after(loop.scheduler(), 200ms)), 42);
  EXPECT_LE(loop.scheduler().turn() - before, 20u);
}

TEST(Loop, MeasuresHowLateItsTimersCome) {
  Loop loop;
  Histogram lag;
  loop.measure_lag(lag);
  loop.run_until_done(answer_after(loop.scheduler(), std::chrono::milliseconds(20)));
  const auto late = [&lag](Duration than) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= Histogram::bounds.size(); ++i) {
      if (i == Histogram::bounds.size() || Histogram::bounds[i] > than) count += lag.count(i);
    }
    return count;
  };
  EXPECT_GT(late(Duration::zero()), 0u);
  const std::uint64_t before = late(std::chrono::milliseconds(100));
  loop.post([] { std::this_thread::sleep_for(std::chrono::milliseconds(180)); });
  loop.run_until_done(answer_after(loop.scheduler(), std::chrono::milliseconds(10)));
  EXPECT_EQ(late(std::chrono::milliseconds(100)), before + 1);
}

TEST(Loop, ClosesWhatIsLeft) {
  std::unique_ptr<io::Stream> stream;
  {
    Loop loop;
    Server server(loop);
    PlainSocket plain = PlainSocket::connect(server.address());
    stream = loop.run_until_done(server.next()).stream;
    plain.send("unread");
    EXPECT_TRUE(loop.run_until_done(stream->fill(Loop::now() + patience)));
    EXPECT_TRUE(stream->is_open());
  }
  EXPECT_FALSE(stream->is_open());
  EXPECT_TRUE(stream->input().empty());
  stream->close();
}

TEST(SystemClock, TellsTheWallTime) {
  SystemClock clock;
  WallTime before = std::chrono::system_clock::now();
  WallTime now = clock.wall_now();
  EXPECT_GE(now, before);
  EXPECT_LT(now - before, 10s);
}

}  // namespace
}  // namespace sallyport::uv
