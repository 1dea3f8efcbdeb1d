#include "gateway/async/scheduler.h"

namespace sallyport::async {

void Scheduler::run_ready() {
  while (!ready_.empty()) {
    auto& node = static_cast<ReadyNode&>(*ready_.front());
    node.unlink();
    node.coroutine.resume();
  }
}

void Scheduler::advance(Time now) {
  if (now > now_) now_ = now;
  timers_.advance(now_);
}

}  // namespace sallyport::async
