#include "gateway/async/fair_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::async {
namespace {

struct Waiting : ListNode {
  char payer = 0;
  std::uint64_t cost = 0;
};

// Who waits, and in what order they are served.
class Waiters {
 public:
  void enter(const std::string& payers, std::uint64_t cost = 1) {
    for (const char payer : payers) {
      auto& one = *all_.emplace_back(std::make_unique<Waiting>());
      one.payer = payer;
      one.cost = cost;
      queue_.enter(one, static_cast<Payer>(payer));
    }
  }
  std::string serve(std::size_t most = 1000) {
    std::string served;
    while (!queue_.empty() && served.size() < most) {
      auto& first = static_cast<Waiting&>(*queue_.first());
      queue_.serve(first, static_cast<Payer>(first.payer), first.cost);
      served += first.payer;
    }
    return served;
  }
  // The first so many of this payer that wait leave.
  void leave(char payer, std::size_t count) {
    for (auto& one : all_) {
      if (count == 0 || one->payer != payer || !one->is_linked()) continue;
      one.reset(new Waiting);
      --count;
    }
  }
  void take_back(char payer) { queue_.take_back(static_cast<Payer>(payer), 1); }
  // In the order in which they would be served.
  std::string all() const {
    std::string found;
    FairWalk walk(queue_.rows(), queue_.turns());
    while (const ListNode* node = walk.next()) found += static_cast<const Waiting&>(*node).payer;
    return found;
  }

 private:
  std::vector<std::unique_ptr<Waiting>> all_;
  FairQueue queue_;
};

std::ptrdiff_t count(const std::string& served, char payer) { return std::count(served.begin(), served.end(), payer); }

TEST(FairOrder, OfOnePayerIsTheOrderOfArrival) {
  FairQueue queue;
  std::vector<Waiting> waiting(3);
  for (Waiting& one : waiting) queue.enter(one, 7);
  for (Waiting& one : waiting) {
    EXPECT_EQ(queue.first(), &one);
    queue.serve(one, 7, 1);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.first(), nullptr);
}

TEST(FairOrder, WhoComesBackHasItsFormerPlace) {
  FairQueue queue;
  std::vector<Waiting> waiting(3);
  for (Waiting& one : waiting) queue.enter(one, 7);
  waiting[1].unlink();
  queue.enter(waiting[1], 7, [&](const ListNode& other) { return &other == &waiting[2]; });
  for (Waiting& one : waiting) {
    EXPECT_EQ(queue.first(), &one);
    queue.serve(one, 7, 1);
  }
}

TEST(FairOrder, PayersTakeTurnsHoweverManyEachHas) {
  Waiters waiters;
  waiters.enter("aaaaaaaaaaaaaaaaaaaabbcc");
  EXPECT_EQ(waiters.serve(9), "abcabcaaa");
}

TEST(FairOrder, WhoComesLateIsServedNext) {
  Waiters waiters;
  waiters.enter(std::string(1000, 'a'));
  waiters.serve(300);
  waiters.enter("b");
  EXPECT_EQ(count(waiters.serve(2), 'b'), 1);
  waiters.enter("bbb");
  EXPECT_EQ(count(waiters.serve(8), 'b'), 3);
}

// What was taken while nobody else wanted it is not held against anybody.
TEST(FairOrder, NobodyIsInDebt) {
  Waiters waiters;
  waiters.enter(std::string(1000, 'a'));
  waiters.serve();
  waiters.enter("abababab");
  EXPECT_EQ(count(waiters.serve(4), 'a'), 2);
}

TEST(FairOrder, WhoCostsMoreIsServedLessOften) {
  Waiters waiters;
  waiters.enter("aaaaaaaaaa", 4);
  waiters.enter("bbbbbbbbbbbbbbbb", 1);
  EXPECT_EQ(count(waiters.serve(10), 'b'), 8);
}

TEST(FairOrder, WhoLeavesUnservedCostsNothing) {
  Waiters waiters;
  waiters.enter(std::string(1000, 'a') + std::string(100, 'b'));
  waiters.serve(10);
  waiters.leave('a', 990);  // five are left
  EXPECT_EQ(count(waiters.serve(10), 'a'), 5);
  // All of them left: those that come then begin where the others are.
  waiters.enter(std::string(1000, 'a'));
  waiters.leave('a', 1000);
  waiters.enter("aaaa");
  EXPECT_EQ(count(waiters.serve(8), 'a'), 4);
}

TEST(FairOrder, WhoLeavesPutsNobodyElseBack) {
  Waiters waiters;
  waiters.enter(std::string(1000, 'a'));
  waiters.leave('a', 999);
  waiters.enter("aaab");
  EXPECT_EQ(count(waiters.serve(2), 'b'), 1);
}

TEST(FairOrder, WhatCameToNothingIsTakenBack) {
  Waiters waiters;
  waiters.enter(std::string(20, 'a') + std::string(20, 'b'));
  waiters.serve(8);
  for (int i = 0; i < 4; ++i) waiters.take_back('a');
  EXPECT_EQ(waiters.serve(4), "aaaa");
  EXPECT_EQ(count(waiters.serve(8), 'a'), 4);
}

// Whatever may not be served at the moment is passed over.
TEST(FairOrder, AWalkGoesThroughAllByTurns) {
  Waiters waiters;
  waiters.enter("aaabbc");
  EXPECT_EQ(waiters.all(), "aaabbc");
  waiters.serve(1);
  EXPECT_EQ(waiters.all(), "bbcaa");
}

TEST(FairOrder, AWalkFollowsTheTurns) {
  FairQueue queue;
  std::vector<Waiting> of_one(4), of_other(4);
  for (Waiting& one : of_one) queue.enter(one, 1);
  for (Waiting& one : of_other) queue.enter(one, 2);
  std::string given;
  FairWalk walk(queue.rows(), queue.turns());
  while (ListNode* const node = walk.next()) {
    const bool is_of_one = node >= &of_one.front() && node <= &of_one.back();
    given += is_of_one ? '1' : '2';
    queue.serve(*node, is_of_one ? 1 : 2, 1);
  }
  EXPECT_EQ(given, "12121212");
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace sallyport::async
