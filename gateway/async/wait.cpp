#include "gateway/async/wait.h"

#include "gateway/base/ensure.h"

namespace sallyport::async {

Signal::~Signal() {
  if (!waiter_) return;
  waiter_->clear();
  waiter_->signal_ = nullptr;
}

void Signal::notify() noexcept {
  if (has_waiter()) {
    waiter_->wake(Woken::notified);
  } else if (!waiter_ || waiter_->woken_ == Woken::timed_out) {
    notified_ = true;
  }
}

void Signal::Awaiter::await_suspend(std::coroutine_handle<> coroutine) {
  ensure(!signal_->has_waiter(), "Signal: two coroutines wait at one place");
  // A previous waiter that was woken but has not run yet no longer needs the signal.
  if (signal_->waiter_) signal_->waiter_->signal_ = nullptr;
  signal_->waiter_ = this;
  ready_.coroutine = coroutine;
  if (deadline_ != no_deadline) signal_->scheduler_.set(*this, deadline_);
}

Woken Signal::Awaiter::await_resume() noexcept {
  bool waited = ready_.coroutine != nullptr;
  if (!waited && woken_ == Woken::notified) signal_->notified_ = false;
  leave();
  return woken_;
}

void Signal::Awaiter::wake(Woken why) noexcept {
  clear();
  woken_ = why;
  signal_->scheduler_.post(ready_);
}

void Signal::Awaiter::leave() noexcept {
  if (signal_ && signal_->waiter_ == this) signal_->waiter_ = nullptr;
}

}  // namespace sallyport::async
