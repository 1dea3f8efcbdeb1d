// The order in which those who wait are served, where they wait at the expense of several payers (tenants): the payers
// take turns, however many each has waiting; those of one payer are served in the order in which they came.
//
// It is start-time fair queueing by payer: the next turn is that of the payer who has been served least since somebody
// began to wait; who had nothing waiting begins where the others are. Who leaves unserved has cost his payer nothing.
// Allocates nothing. Payers whose numbers fall together share a turn. Not locked.
//
// FairQueue is all of it; FairTurns and FairRows are its parts, for whoever has to look for one who can be served.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "gateway/async/intrusive_list.h"

namespace sallyport::async {

// A tenant, by a number that is the same in all workers; 0 for whoever is no tenant's, or the only one's.
using Payer = std::uint64_t;

inline constexpr std::size_t fair_rows = 61;
inline std::size_t fair_row_of(Payer payer) noexcept { return payer % fair_rows; }

// What those of each row were served.
class FairTurns {
 public:
  // Which of these rows, one at least and the first as the lowest bit, has the next turn: the one that was served
  // least.
  std::size_t next_of(std::uint64_t rows) const noexcept {
    auto next = static_cast<std::size_t>(std::countr_zero(rows));
    for (std::uint64_t others = rows & (rows - 1); others != 0; others &= others - 1) {
      const auto other = static_cast<std::size_t>(std::countr_zero(others));
      if (due_[other] < due_[next]) next = other;
    }
    return next;
  }
  // Somebody waits in a row where nobody did.
  void begin(std::size_t row) noexcept { due_[row] = std::max(due_[row], now_); }
  // `cost`: of serving one of that row, in any unit, more than 0.
  void serve(std::size_t row, std::uint64_t cost) noexcept {
    now_ = std::max(now_, due_[row]);
    due_[row] += cost;
    latest_ = std::max(latest_, due_[row]);
  }
  // It has come to nothing.
  void take_back(std::size_t row, std::uint64_t cost) noexcept { due_[row] -= std::min(cost, due_[row]); }
  // All begin anew.
  void nobody_waits() noexcept { now_ = latest_; }

 private:
  std::array<std::uint64_t, fair_rows> due_{};
  std::uint64_t now_ = 1;
  std::uint64_t latest_ = 1;
};

// Those who wait, a row for each payer. Who is destroyed, or unlinks itself, is in no row any more.
class FairRows {
 public:
  bool empty() const noexcept { return used() == 0; }
  bool empty(std::size_t row) const noexcept { return rows_[row].empty(); }
  // True where the payers' turns make no difference.
  bool is_of_one_payer() const noexcept { return std::has_single_bit(used()); }
  const ListHead& row(std::size_t row) const noexcept { return rows_[row]; }

  // At the end of the payer's row.
  void enter(ListNode& node, Payer payer) noexcept {
    const std::size_t row = fair_row_of(payer);
    rows_[row].push_back(node);
    used_ |= std::uint64_t{1} << row;
  }
  // In the payer's row before the first of which this is true; cheap for whoever belongs near its beginning.
  template <class IsBefore>
  void enter(ListNode& node, Payer payer, IsBefore is_before) noexcept {
    ListHead& row = rows_[fair_row_of(payer)];
    ListNode* other = row.empty() ? nullptr : row.front();
    while (other != nullptr && !is_before(*other)) other = row.after(*other);
    if (other == nullptr) return enter(node, payer);
    row.insert_before(*other, node);
  }
  // The rows in which somebody waits, the first as the lowest bit.
  std::uint64_t used() const noexcept {
    for (std::uint64_t left = used_; left != 0; left &= left - 1) {
      if (rows_[static_cast<std::size_t>(std::countr_zero(left))].empty()) used_ ^= left & -left;
    }
    return used_;
  }

 private:
  std::array<ListHead, fair_rows> rows_;
  mutable std::uint64_t used_ = 0;  // rows in which somebody waits, or has waited
};

// All who wait, each once, in the order of turns as it is when the next one is asked for. The one that was given last
// may be served or leave meanwhile, others not.
class FairWalk {
 public:
  FairWalk(const FairRows& rows, const FairTurns& turns) noexcept : rows_(rows), turns_(turns), left_(rows.used()) {}

  // Null: there is none any more.
  ListNode* next() noexcept {
    if (left_ == 0) return nullptr;
    const std::size_t row = turns_.next_of(left_);
    ListNode* const given = next_[row] != nullptr ? next_[row] : rows_.row(row).front();
    next_[row] = rows_.row(row).after(*given);
    if (next_[row] == nullptr) left_ &= ~(std::uint64_t{1} << row);
    return given;
  }

 private:
  const FairRows& rows_;
  const FairTurns& turns_;
  std::uint64_t left_;  // the rows that are not at their end
  std::array<ListNode*, fair_rows> next_{};
};

class FairQueue {
 public:
  bool empty() const noexcept { return rows_.empty(); }
  const FairRows& rows() const noexcept { return rows_; }
  const FairTurns& turns() const noexcept { return turns_; }

  void enter(ListNode& node, Payer payer) noexcept {
    begin(payer);
    rows_.enter(node, payer);
  }
  // As FairRows has it.
  template <class IsBefore>
  void enter(ListNode& node, Payer payer, IsBefore is_before) noexcept {
    begin(payer);
    rows_.enter(node, payer, is_before);
  }
  // Whose turn it is; null: nobody waits.
  ListNode* first() const noexcept {
    const std::uint64_t used = rows_.used();
    return used == 0 ? nullptr : rows_.row(turns_.next_of(used)).front();
  }
  // Takes it out, at the expense of its payer; it need not be the first.
  void serve(ListNode& node, Payer payer, std::uint64_t cost) noexcept {
    node.unlink();
    turns_.serve(fair_row_of(payer), cost);
  }
  // What was served before has come to nothing.
  void take_back(Payer payer, std::uint64_t cost) noexcept { turns_.take_back(fair_row_of(payer), cost); }

 private:
  void begin(Payer payer) noexcept {
    if (rows_.empty()) turns_.nobody_waits();
    if (rows_.empty(fair_row_of(payer))) turns_.begin(fair_row_of(payer));
  }

  FairRows rows_;
  FairTurns turns_;
};

}  // namespace sallyport::async
