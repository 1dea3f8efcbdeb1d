#include "gateway/app/loop_watch.h"

#include <gtest/gtest.h>

namespace sallyport::app {
namespace {

using std::chrono::milliseconds;

// Looks in their time from `from` to `to`, of a loop that turns when `turns` says so.
template <class Turns>
std::vector<LoopWatch::Stall> watch_for(LoopWatch& watch, supervise::Board& board, int looks, Turns turns) {
  std::vector<LoopWatch::Stall> all;
  const Time start{std::chrono::hours(1)};
  for (int i = 0; i < looks; ++i) {
    const Time now = start + i * LoopWatch::interval;
    if (turns(i)) board.beat(0, now);
    for (const auto& stall : watch.look(board, now)) all.push_back(stall);
  }
  return all;
}

TEST(LoopWatch, TellsAStallOnceWhenItHasEnded) {
  auto board = supervise::Board::make();
  ASSERT_TRUE(board);
  LoopWatch watch(1);
  const auto stalls = watch_for(watch, *board, 60, [](int i) { return i < 10 || i >= 22; });
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_GT(stalls[0].length, std::chrono::seconds(3) - LoopWatch::interval);
  EXPECT_EQ(stalls[0].loop, 0U);
}

TEST(LoopWatch, TellsNothingOfASecond) {
  auto board = supervise::Board::make();
  ASSERT_TRUE(board);
  LoopWatch watch(1);
  EXPECT_TRUE(watch_for(watch, *board, 60, [](int i) { return i < 10 || i >= 13; }).empty());
}

TEST(LoopWatch, TellsNothingWhereTheWholeProcessStoodStill) {
  auto board = supervise::Board::make();
  ASSERT_TRUE(board);
  LoopWatch watch(1);
  const Time start{std::chrono::hours(1)};
  board->beat(0, start);
  EXPECT_TRUE(watch.look(*board, start).empty());
  EXPECT_TRUE(watch.look(*board, start + std::chrono::minutes(1)).empty());
  board->beat(0, start + std::chrono::minutes(1) + milliseconds(1));
  EXPECT_TRUE(watch.look(*board, start + std::chrono::minutes(1) + LoopWatch::interval).empty());
}

}  // namespace
}  // namespace sallyport::app
