#include "policies/api/verifying_time.h"

#include "gateway/async/wait.h"

namespace sallyport::policies {

VerifyingTime::VerifyingTime(const GatherContext& context, CpuClock clock)
    : context_(context), clock_(clock), began_(clock()) {}

Task<bool> VerifyingTime::goes_on() {
  const Duration now = clock_() - began_;
  Duration& spent = context_.verifying != nullptr ? *context_.verifying : own_spent_;
  spent += now - counted_;
  counted_ = now;
  if (spent > max_verifying_time) co_return false;
  if (now >= verifying_at_a_time) {
    // A sleep, because a coroutine that only queues up again is resumed before the loop looks at its sockets.
    co_await async::sleep_for(context_.scheduler, std::chrono::milliseconds(1));
    began_ = clock_();
    counted_ = {};
  }
  co_return true;
}

}  // namespace sallyport::policies
