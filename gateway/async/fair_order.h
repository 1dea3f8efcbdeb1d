// FairOrder: the order in which those who wait are served, where they wait at the expense of several payers (tenants):
// the payers take turns, however many each has waiting; those of one payer are served in the order in which they came.
//
// It is start-time fair queueing: each who waits gets a tag, and the least tag is served first. A payer's next tag is
// where his last one ended, so who has much waiting has late tags, and who has nothing waiting begins at the tag that
// was served last. Allocates nothing. Payers whose numbers fall together share a turn. Not locked.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::async {

// A tenant, by a number that is the same in all workers; 0 for whoever is no tenant's, or the only one's.
using Payer = std::uint64_t;

class FairOrder {
 public:
  // `cost`: what serving him will take, in any unit, more than 0.
  std::uint64_t tag_for(Payer payer, std::uint64_t cost) noexcept {
    std::uint64_t& end = ends_[payer % ends_.size()];
    const std::uint64_t tag = std::max(now_, end);
    end = tag + cost;
    latest_ = std::max(latest_, end);
    return tag;
  }
  void served(std::uint64_t tag) noexcept { now_ = std::max(now_, tag); }
  // All begin anew.
  void nobody_waits() noexcept { now_ = latest_; }

 private:
  std::array<std::uint64_t, 61> ends_{};
  std::uint64_t now_ = 1;
  std::uint64_t latest_ = 1;
};

// Puts `node` into the list behind all whose tag is not greater. Cheap for who belongs to the end or near the
// beginning: whoever has much waiting adds to the end, whoever has little is soon served.
template <class List, class Node, class TagOf>
void put_in_order(List& list, Node& node, std::uint64_t tag, TagOf tag_of) noexcept {
  if (list.empty() || tag_of(*list.back()) <= tag) return list.push_back(node);
  auto* next = list.front();
  while (tag_of(*next) <= tag) next = list.after(*next);
  list.insert_before(*next, node);
}

}  // namespace sallyport::async
