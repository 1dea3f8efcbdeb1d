#include "gateway/async/share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/unit/async/turn.h"

namespace sallyport::async {
namespace {

constexpr std::size_t most = Scheduler::octets_per_turn;

// What one coroutine has moved; it takes pieces of random sizes, for ever or up to an end.
struct Mover {
  std::size_t piece_octets;
  std::size_t moved = 0;
};

// A loop without sockets: each turn lets run what is ready, and notes how much was moved in it.
class ShareTest : public ::testing::Test {
 protected:
  Task<void> move(Mover& mover, std::size_t octets) {
    while (mover.moved < octets) {
      const std::size_t piece = 1 + random_() % mover.piece_octets;
      co_await Share(scheduler, piece);
      mover.moved += piece;
      moved_in_turn += piece;
    }
  }
  std::size_t turn() {
    scheduler.begin_turn();
    moved_in_turn = 0;
    scheduler.run_ready();
    return moved_in_turn;
  }

  Scheduler scheduler{Time{}};
  std::size_t moved_in_turn = 0;
  Nursery nursery{scheduler};

 private:
  std::mt19937 random_{20261129};
};

constexpr std::size_t endless = SIZE_MAX;

TEST_F(ShareTest, ATurnMovesNoMoreHoweverManyMoveAndInWhatPieces) {
  for (std::size_t movers : {1, 2, 7, 100}) {
    Nursery here(scheduler);
    std::vector<Mover> all;
    for (std::size_t i = 0; i < movers; ++i) all.push_back({std::size_t{1} << (i % 17), 0});
    turn();
    for (Mover& mover : all) here.spawn(move(mover, endless));
    EXPECT_LE(moved_in_turn, most);
    for (int i = 0; i < 50; ++i) {
      const std::size_t octets = turn();
      EXPECT_LE(octets, most);
      EXPECT_GT(octets, most / 2) << "a turn is used, when there is something to do";
    }
  }
}

TEST_F(ShareTest, EachHasItsTurn) {
  std::vector<Mover> movers(8, Mover{65536, 0});
  for (Mover& mover : movers) nursery.spawn(move(mover, endless));
  for (int i = 0; i < 80; ++i) turn();
  for (const Mover& mover : movers) EXPECT_NEAR(static_cast<double>(mover.moved), 10.0 * most, 2.0 * most);
}

// Two tenants: one with a hundred who wait, one with a single one, each as long as the other has.
TEST_F(ShareTest, PayersTakeTurnsHoweverManyEachHas) {
  const auto move_for = [](Scheduler& scheduler, std::size_t& moved, Payer payer) -> Task<void> {
    while (true) {
      co_await Share(scheduler, 65536, payer);
      moved += 65536;
    }
  };
  for (const std::size_t many : {3u, 100u, 1000u}) {
    Nursery here(scheduler);
    std::size_t of_many = 0, of_one = 0;
    for (std::size_t i = 0; i < many; ++i) here.spawn(move_for(scheduler, of_many, 7));
    here.spawn(move_for(scheduler, of_one, 8));
    for (int i = 0; i < 3; ++i) turn();
    of_many = of_one = 0;
    for (int i = 0; i < 100; ++i) turn();
    EXPECT_NEAR(static_cast<double>(of_one), static_cast<double>(of_many), 0.1 * static_cast<double>(of_many)) << many;
  }
}

TEST_F(ShareTest, WhoHasAnEventIsServedInEveryTurn) {
  Mover greedy{65536, 0};
  int served = 0;
  Signal event(scheduler);
  const auto serve = [](Signal& signal, int& count) -> Task<void> {
    while (true) {
      co_await signal.wait();
      ++count;
    }
  };
  nursery.spawn(move(greedy, endless));
  nursery.spawn(serve(event, served));
  for (int i = 1; i <= 20; ++i) {
    event.notify();
    turn();
    EXPECT_EQ(served, i);
  }
}

TEST_F(ShareTest, SmallPiecesDoNotWaitBehindLargeOnes) {
  std::vector<Mover> greedy(50, Mover{65536, 0});
  for (Mover& mover : greedy) nursery.spawn(move(mover, endless));
  for (int i = 0; i < 20; ++i) {
    turn();
    for (int command = 0; command < 16; ++command) EXPECT_TRUE(scheduler.take_share(1000));
  }
}

TEST_F(ShareTest, ManySmallPiecesFillATurnToo) {
  std::size_t pieces = 0;
  scheduler.begin_turn();
  while (scheduler.take_share(1000)) ++pieces;
  EXPECT_LE(pieces * 1000, most);
}

TEST_F(ShareTest, ATurnWithRoomGoesOnAtOnce) {
  Mover modest{1000, 0};
  nursery.spawn(move(modest, most / 2));
  EXPECT_GE(modest.moved, most / 2);
  EXPECT_FALSE(scheduler.has_waiting_for_share());
}

TEST_F(ShareTest, WhoEndsWhileItWaitsIsInNobodysWay) {
  Mover greedy{65536, 0}, gone{65536, 0}, patient{65536, 0};
  nursery.spawn(move(greedy, 2 * most));
  {
    Nursery here(scheduler);
    here.spawn(move(gone, endless));
    nursery.spawn(move(patient, most));
  }
  EXPECT_EQ(gone.moved, 0u);
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_GE(patient.moved, most);
  EXPECT_GE(greedy.moved, 2 * most);
  EXPECT_EQ(gone.moved, 0u);
  EXPECT_FALSE(scheduler.has_waiting_for_share());
}

TEST_F(ShareTest, APieceThatIsLargerThanATurnStillGoesThrough) {
  int done = 0;
  const auto move_one = [](Scheduler& scheduler, int& count) -> Task<void> {
    co_await Share(scheduler, 3 * most);
    ++count;
  };
  for (int i = 0; i < 3; ++i) nursery.spawn(move_one(scheduler, done));
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace sallyport::async
