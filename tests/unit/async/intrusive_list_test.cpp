#include "gateway/async/intrusive_list.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace sallyport::async {
namespace {

struct Item : ListNode {
  explicit Item(int number) : value(number) {}
  int value;
};

std::vector<int> drained(ListHead& list) {
  std::vector<int> values;
  while (!list.empty()) {
    values.push_back(static_cast<Item&>(*list.front()).value);
    list.front()->unlink();
  }
  return values;
}

TEST(IntrusiveList, KeepsOrder) {
  ListHead list;
  Item a(1), b(2), c(3);
  EXPECT_TRUE(list.empty());
  list.push_back(a);
  list.push_back(b);
  list.push_back(c);
  EXPECT_TRUE(b.is_linked());
  EXPECT_EQ(drained(list), (std::vector{1, 2, 3}));
  EXPECT_FALSE(b.is_linked());
}

TEST(IntrusiveList, AnElementThatDiesIsTakenOut) {
  ListHead list;
  Item a(1), c(3);
  {
    Item b(2);
    list.push_back(a);
    list.push_back(b);
    list.push_back(c);
  }
  EXPECT_EQ(drained(list), (std::vector{1, 3}));
}

TEST(IntrusiveList, PushingAgainMovesToTheEndOrToAnotherList) {
  ListHead list, other;
  Item a(1), b(2);
  list.push_back(a);
  list.push_back(b);
  list.push_back(a);
  EXPECT_EQ(drained(list), (std::vector{2, 1}));
  list.push_back(a);
  other.push_back(a);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(drained(other), (std::vector{1}));
}

TEST(IntrusiveList, UnlinkingTwiceIsHarmless) {
  ListHead list;
  Item a(1), b(2);
  list.push_back(a);
  list.push_back(b);
  a.unlink();
  a.unlink();
  EXPECT_EQ(drained(list), (std::vector{2}));
}

TEST(IntrusiveList, TakesAllOfAnother) {
  ListHead list, other, empty;
  Item a(1), b(2), c(3);
  list.push_back(a);
  other.push_back(b);
  other.push_back(c);
  list.take_all(other);
  list.take_all(empty);
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(drained(list), (std::vector{1, 2, 3}));
}

TEST(IntrusiveList, ThatDiesLeavesItsElementsUnlinked) {
  Item a(1), b(2);
  {
    ListHead list;
    list.push_back(a);
    list.push_back(b);
  }
  EXPECT_FALSE(a.is_linked());
  EXPECT_FALSE(b.is_linked());
}

}  // namespace
}  // namespace sallyport::async
