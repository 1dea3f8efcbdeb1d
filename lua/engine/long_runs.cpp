#include "lua/engine/long_runs.h"

namespace sallyport::lua {

namespace {

// A rest in which nobody else did anything has no more turns of the loop than these: the looks for events by which its
// timer comes to be due, and some to spare.
constexpr std::uint64_t turns_of_a_rest = 4;

}  // namespace

// The place of one task among those that wait.
class LongRuns::Place : public async::ListNode {
 public:
  Place(LongRuns& all, async::Signal& turn, async::Payer payer) : all_(all), turn_(turn), payer_(payer) {
    all.waiting_.enter(*this, payer);
    all.call_next();
  }
  // Whoever waits may leave.
  ~Place() {
    if (!has_turn()) return;
    if (!is_used_) all_.waiting_.take_back(payer_, 1);
    all_.resting_ = nullptr;
    all_.call_next();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool has_turn() const { return all_.resting_ == this; }
  void use() { is_used_ = true; }

 private:
  friend class LongRuns;
  LongRuns& all_;
  async::Signal& turn_;
  const async::Payer payer_;
  bool is_used_ = false;
};

void LongRuns::call_next() noexcept {
  if (resting_ != nullptr || waiting_.empty()) return;
  resting_ = static_cast<Place*>(waiting_.first());
  waiting_.serve(*resting_, resting_->payer_, 1);
  resting_->turn_.notify();
}

Task<bool> LongRuns::take_turn(async::Scheduler& scheduler, async::Payer payer, Time deadline) {
  // In the turn in which a rest ends we ourselves make the scheduler busy; it says so until the turn after that.
  const bool sees_others = scheduler.is_busy() && scheduler.turn() > last_rest_ended_in_ + 1;
  if (sees_others) no_rests_until_ = Time::min();
  if (is_empty() && scheduler.now() < no_rests_until_) co_return false;
  async::Signal turn(scheduler);
  Place place(*this, turn, payer);
  while (!place.has_turn()) {
    if (co_await turn.wait(deadline) == async::Woken::timed_out) co_return false;
  }
  if (scheduler.now() < no_rests_until_) {
    place.use();
    co_return false;
  }
  const std::uint64_t before = scheduler.turn();
  co_await async::sleep_for(scheduler, rest);
  place.use();
  last_rest_ended_in_ = scheduler.turn();
  if (last_rest_ended_in_ - before <= turns_of_a_rest) no_rests_until_ = scheduler.now() + alone;
  co_return true;
}

}  // namespace sallyport::lua
