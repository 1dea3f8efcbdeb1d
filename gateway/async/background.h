// Background: a coroutine that computes for long lets everybody else have their turn.
//
//   co_await async::Background(scheduler);   // before each slice of the computation
//   ... compute, for less time when scheduler.is_busy() ...
//
// Goes on in a later step, after all others that are ready and those that may move octets, and as the only one of its
// kind in this turn of the loop. Of those that wait here the payers (tenants) take turns, and those of one payer go on
// in the order in which they came. So however many of them
// there are, an event is held up by one slice at most, and none of them waits for ever. While somebody waits here, the
// loop does not sleep.
#pragma once

#include <coroutine>

#include "gateway/async/scheduler.h"

namespace sallyport::async {

class Background {
 public:
  // `payer`: at whose expense.
  explicit Background(Scheduler& scheduler, Payer payer = 0) noexcept : scheduler_(scheduler), payer_(payer) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    ready_.coroutine = coroutine;
    scheduler_.wait_in_background(ready_, payer_);
  }
  void await_resume() const noexcept {}

 private:
  Scheduler& scheduler_;
  Payer payer_;
  ReadyNode ready_;
};

}  // namespace sallyport::async
