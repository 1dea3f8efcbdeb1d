#include "lua/engine/long_runs.h"

#include <iterator>

namespace sallyport::lua {

namespace {

// A rest in which nobody else did anything has no more turns of the loop than these: the looks for events by which its
// timer comes to be due, and some to spare.
constexpr std::uint64_t turns_of_a_rest = 4;

}  // namespace

// The place of one task among those that wait.
class LongRuns::Place {
 public:
  Place(LongRuns& all, async::Signal& turn, async::Payer payer) : all_(all) {
    if (all.waiting_.empty()) all.order_.nobody_waits();
    const std::uint64_t tag = all.order_.tag_for(payer, 1);
    auto before = all.waiting_.end();
    while (before != all.waiting_.begin() && std::prev(before)->tag > tag) --before;
    if (all.rests_ && before == all.waiting_.begin()) ++before;
    at_ = all.waiting_.insert(before, {&turn, tag});
  }
  ~Place() {
    if (is_first()) all_.rests_ = false;
    all_.order_.served(at_->tag);
    all_.waiting_.erase(at_);
    if (!all_.waiting_.empty()) all_.waiting_.front().turn->notify();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool is_first() const { return at_ == all_.waiting_.begin(); }

 private:
  LongRuns& all_;
  std::list<Waiter>::iterator at_;
};

Task<bool> LongRuns::take_turn(async::Scheduler& scheduler, async::Payer payer, Time deadline) {
  // In the turn in which a rest ends we ourselves make the scheduler busy; it says so until the turn after that.
  const bool sees_others = scheduler.is_busy() && scheduler.turn() > last_rest_ended_in_ + 1;
  if (sees_others) no_rests_until_ = Time::min();
  if (waiting_.empty() && scheduler.now() < no_rests_until_) co_return false;
  async::Signal turn(scheduler);
  const Place place(*this, turn, payer);
  while (!place.is_first()) {
    if (co_await turn.wait(deadline) == async::Woken::timed_out) co_return false;
  }
  if (scheduler.now() < no_rests_until_) co_return false;
  rests_ = true;
  const std::uint64_t before = scheduler.turn();
  co_await async::sleep_for(scheduler, rest);
  last_rest_ended_in_ = scheduler.turn();
  if (last_rest_ended_in_ - before <= turns_of_a_rest) no_rests_until_ = scheduler.now() + alone;
  co_return true;
}

}  // namespace sallyport::lua
