#include "gateway/async/fair_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gateway/async/intrusive_list.h"

namespace sallyport::async {
namespace {

struct Waiting : ListNode {
  char payer = 0;
  std::uint64_t tag = 0;
};

// Who waits, in the order in which they will be served.
class Queue {
 public:
  void enter(const std::string& payers, std::uint64_t cost = 1) {
    for (const char payer : payers) {
      if (list_.empty()) order_.nobody_waits();
      auto& one = *all_.emplace_back(std::make_unique<Waiting>());
      one.payer = payer;
      one.tag = order_.tag_for(static_cast<Payer>(payer), cost);
      put_in_order(list_, one, one.tag, [](const ListNode& node) { return static_cast<const Waiting&>(node).tag; });
    }
  }
  std::string serve(std::size_t most = 1000) {
    std::string served;
    while (!list_.empty() && served.size() < most) {
      auto& first = static_cast<Waiting&>(*list_.front());
      order_.served(first.tag);
      served += first.payer;
      first.unlink();
    }
    return served;
  }

 private:
  std::vector<std::unique_ptr<Waiting>> all_;
  FairOrder order_;
  ListHead list_;
};

TEST(FairOrder, OfOnePayerIsTheOrderOfArrival) {
  Queue queue;
  queue.enter("aaaa");
  EXPECT_EQ(queue.serve(), "aaaa");
}

TEST(FairOrder, PayersTakeTurnsHoweverManyEachHas) {
  Queue queue;
  queue.enter("aaaaaaaaaaaaaaaaaaaabbcc");
  EXPECT_EQ(queue.serve(9), "abcabcaaa");
}

TEST(FairOrder, WhoComesLateIsServedNext) {
  Queue queue;
  queue.enter(std::string(1000, 'a'));
  queue.serve(300);
  queue.enter("b");
  EXPECT_EQ(queue.serve(2).find('b') != std::string::npos, true);
  queue.enter("bbb");
  const std::string next = queue.serve(8);
  EXPECT_EQ(std::count(next.begin(), next.end(), 'b'), 3);
}

// What was taken while nobody else wanted it is not held against anybody.
TEST(FairOrder, NobodyIsInDebt) {
  Queue queue;
  queue.enter(std::string(1000, 'a'));
  queue.serve();
  queue.enter("abababab");
  const std::string next = queue.serve(4);
  EXPECT_EQ(std::count(next.begin(), next.end(), 'a'), 2);
}

TEST(FairOrder, WhoCostsMoreIsServedLessOften) {
  Queue queue;
  queue.enter("aaaaaaaaaa", 4);
  queue.enter("bbbbbbbbbbbbbbbb", 1);
  const std::string next = queue.serve(10);
  EXPECT_EQ(std::count(next.begin(), next.end(), 'b'), 8);
}

}  // namespace
}  // namespace sallyport::async
