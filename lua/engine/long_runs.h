// LongRuns: the mails of a worker whose rules have computed for very long take turns, with rests between their slices,
// as long as the loop has anything else to do. It sleeps during a rest, so most events find the loop, and its
// processor, free: a loop that always computes is also what the kernel lets other programs of the machine wait for.
//
// There is one slice of all of them after each rest. The payers (tenants) take turns, and the mails of one payer go on
// in the order in which they came, so none waits for ever. After a rest in which nobody else did anything there are no
// rests until somebody does, and they have the loop for themselves. One thread only.
#pragma once

#include <cstdint>

#include "gateway/async/fair_order.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"

namespace sallyport::lua {

class LongRuns {
 public:
  // At least; the timers of a loop come some milliseconds later.
  static constexpr Duration rest = std::chrono::milliseconds(1);
  // For how long there are no rests where nobody else is there.
  static constexpr Duration alone = std::chrono::milliseconds(50);

  // Waits for the next slice, or until the deadline has passed. True: there was a rest before it. The task may be
  // destroyed while it waits.
  Task<bool> take_turn(async::Scheduler& scheduler, async::Payer payer, Time deadline);
  bool is_empty() const noexcept { return resting_ == nullptr && waiting_.empty(); }

 private:
  class Place;
  void call_next() noexcept;

  async::FairQueue waiting_;
  Place* resting_ = nullptr;  // whose turn it is
  Time no_rests_until_ = Time::min();
  std::uint64_t last_rest_ended_in_ = 0;  // turn of the loop
};

}  // namespace sallyport::lua
