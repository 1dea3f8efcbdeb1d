#include "tests/support/manual_loop.h"

#include "gateway/base/ensure.h"

namespace sallyport::support {

namespace {

// Lets time pass until the deadline is judged, which after a standstill is later than the deadline itself. False: not
// until `latest`.
bool pass_until(async::Scheduler& scheduler, Time deadline, Time latest) {
  if (deadline > latest) return false;
  scheduler.set_time(deadline);
  while (!scheduler.is_over(deadline) && scheduler.now() < latest)
    scheduler.set_time(scheduler.now() + std::chrono::milliseconds(1));
  return scheduler.is_over(deadline);
}

}  // namespace

void ManualLoop::run() {
  while (true) {
    scheduler_.run_ready();
    const auto next = scheduler_.timers().next();
    const bool is_over = next && scheduler_.is_over(*next);  // a wait for a time that was past when it began
    if (!is_over && !scheduler_.wants_turn()) return;
    scheduler_.begin_turn();
    if (is_over) scheduler_.advance(now());
  }
}

void ManualLoop::advance(Duration duration) {
  Time target = now() + duration;
  run();
  auto next = scheduler_.timers().next();
  while (next && pass_until(scheduler_, *next, target)) {
    scheduler_.advance(now());
    run();
    next = scheduler_.timers().next();
  }
  next&&* next <= target ? scheduler_.set_time(target) : scheduler_.advance(target);
  run();
}

bool ManualLoop::advance_to_next_timer() {
  run();
  auto next = scheduler_.timers().next();
  if (!next) return false;
  pass_until(scheduler_, *next, Time::max());
  scheduler_.advance(now());
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
