#include "tests/support/manual_loop.h"

#include "gateway/base/ensure.h"

namespace sallyport::support {

void ManualLoop::run() {
  while (true) {
    scheduler_.run_ready();
    const auto next = scheduler_.timers().next();
    const bool is_over = next && *next <= now();  // a wait for a time that was past when it began
    if (!is_over && !scheduler_.has_waiting_for_share()) return;
    scheduler_.begin_turn();
    if (is_over) scheduler_.advance(now());
  }
}

void ManualLoop::advance(Duration duration) {
  Time target = now() + duration;
  run();
  while (true) {
    auto next = scheduler_.timers().next();
    if (!next || *next > target) break;
    scheduler_.advance(*next);
    run();
  }
  scheduler_.advance(target);
  run();
}

bool ManualLoop::advance_to_next_timer() {
  run();
  auto next = scheduler_.timers().next();
  if (!next) return false;
  scheduler_.advance(*next);
  run();
  return true;
}

void ManualLoop::run_until_empty(async::Nursery& nursery, Duration limit) {
  Time latest = now() + limit;
  run();
  while (nursery.size() > 0) {
    ensure(advance_to_next_timer(), "ManualLoop: the task waits for something that can never happen");
    ensure(now() <= latest, "ManualLoop: the task does not come to an end");
  }
}

}  // namespace sallyport::support
