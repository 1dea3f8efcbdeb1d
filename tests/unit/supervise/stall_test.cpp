#include "gateway/supervise/stall.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace sallyport::supervise {
namespace {

using std::chrono::seconds;

const Time start{std::chrono::hours(1)};

TEST(StallWatch, SeesALoopThatStandsStillForTenSeconds) {
  auto board = Board::make();
  ASSERT_TRUE(board);
  StallWatch watch;
  int second = 0;
  for (; second < 60; ++second) {
    board->beat(0, start + seconds(second));
    if (second < 20) board->beat(1, start + seconds(second));
    if (watch.has_stalled(*board, start + seconds(second))) break;
  }
  EXPECT_GE(second, 29);
  EXPECT_LE(second, 31);
}

TEST(StallWatch, TakesAStandstillOfTheMachineForNone) {
  auto board = Board::make();
  ASSERT_TRUE(board);
  StallWatch watch;
  board->beat(0, start);
  EXPECT_FALSE(watch.has_stalled(*board, start));
  EXPECT_FALSE(watch.has_stalled(*board, start + std::chrono::hours(1)));  // the loop had no time yet
  board->beat(0, start + std::chrono::hours(1) + seconds(1));
  EXPECT_FALSE(watch.has_stalled(*board, start + std::chrono::hours(1) + seconds(1)));
}

TEST(StallWatch, WatchesNoLoopThatHasEnded) {
  auto board = Board::make();
  ASSERT_TRUE(board);
  StallWatch watch;
  board->beat(3, start);
  EXPECT_FALSE(watch.has_stalled(*board, start));
  board->forget(3);
  for (int second = 1; second < 60; ++second) EXPECT_FALSE(watch.has_stalled(*board, start + seconds(second)));
}

TEST(Board, IsSharedByTwoWhoHaveItsMemory) {
  auto board = Board::make();
  ASSERT_TRUE(board);
  auto other = Board::open(Descriptor(::dup(board->descriptor().get())));
  ASSERT_TRUE(other);
  other->beat(7, start);
  EXPECT_EQ(board->last_beat(7), start);
  EXPECT_FALSE(board->last_beat(6));
  other->beat(Board::most_loops, start);  // is not watched, and does no harm
  EXPECT_FALSE(board->last_beat(Board::most_loops));
}

TEST(Board, CannotBeShortenedUnderWhoReadsIt) {
  auto board = Board::make();
  ASSERT_TRUE(board);
  board->beat(7, start);
  EXPECT_EQ(::ftruncate(board->descriptor().get(), 0), -1);
  EXPECT_EQ(board->last_beat(7), start);
}

}  // namespace
}  // namespace sallyport::supervise
