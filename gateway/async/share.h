// Share: a coroutine that moves many octets lets others have their turn.
//
//   co_await async::Share(scheduler, octets);          // before (or after) so many octets are sent, read or hashed
//   co_await async::Share(scheduler, octets, payer);   // at the expense of this tenant
//
// Goes on at once while less than Scheduler::octets_per_turn were moved in this turn of the loop. Otherwise the
// coroutine goes on in a later turn, after the loop has looked for events: the payers take turns, and those of one
// payer go on in the order in which they came here. So a peer that takes or sends octets as fast as we move them holds
// up nobody else. To be asked for pieces of at most octets_per_turn; what takes a few octets, such as a reply, need not
// ask.
#pragma once

#include <coroutine>

#include "gateway/async/scheduler.h"

namespace sallyport::async {

// What a step of a dialogue counts as, where tenants share a loop: about as long as it takes to move so much.
inline constexpr std::size_t octets_of_a_step = std::size_t{32} * 1024;
// What a command counts as beside its octets, however few they are: obeying it takes about as long as moving so much.
inline constexpr std::size_t octets_of_a_command = std::size_t{1} * 1024;

class Share {
 public:
  Share(Scheduler& scheduler, std::size_t octets, Payer payer = 0) noexcept
      : scheduler_(scheduler), octets_(octets), payer_(payer) {}
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  bool await_ready() const noexcept { return scheduler_.take_share(octets_); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    ready_.coroutine = coroutine;
    scheduler_.wait_for_share(ready_, octets_, payer_);
  }
  void await_resume() const noexcept {}

 private:
  Scheduler& scheduler_;
  std::size_t octets_;
  Payer payer_;
  ReadyNode ready_;
};

}  // namespace sallyport::async
