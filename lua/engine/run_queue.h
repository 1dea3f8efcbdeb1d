// RunQueue: rules that are known to wait begin one after another while too many runs of the worker are unfinished.
//
// The runs that wait are bounded in number and memory by that (RuleSet::is_crowded), however many mails there are; a
// mail in the queue costs a coroutine. Rules that have never waited do not queue. One thread only.
#pragma once

#include <algorithm>
#include <list>

#include "gateway/async/background.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "lua/engine/rule_set.h"

namespace sallyport::lua {

class RunQueue {
 public:
  // Waits for its turn, or until the deadline has passed. The task may be destroyed while it waits.
  Task<void> take_turn(async::Scheduler& scheduler, RuleSet& rules, Time deadline);
  // To be called when a run has ended, or was dropped.
  void run_ended() noexcept {
    if (!waiting_.empty()) waiting_.front()->notify();
  }
  bool is_empty() const noexcept { return waiting_.empty(); }

 private:
  // The place of one task in the queue.
  class Place {
   public:
    Place(std::list<async::Signal*>& queue, async::Signal& signal)
        : queue_(queue), at_(queue.insert(queue.end(), &signal)) {}
    // The next one looks whether there is room for it.
    ~Place() {
      queue_.erase(at_);
      if (!queue_.empty()) queue_.front()->notify();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::list<async::Signal*>& queue_;
    std::list<async::Signal*>::iterator at_;
  };

  std::list<async::Signal*> waiting_;
};

inline Task<void> RunQueue::take_turn(async::Scheduler& scheduler, RuleSet& rules, Time deadline) {
  async::Signal turn(scheduler);
  const Place place(waiting_, turn);
  bool is_collected = false;  // what runs have left behind, since there was news
  while (waiting_.front() != &turn || rules.is_crowded()) {
    if (waiting_.front() == &turn && !is_collected) {
      is_collected = rules.collect_garbage();
      co_await async::Background(scheduler);
      continue;
    }
    if (co_await turn.wait(deadline) == async::Woken::timed_out) co_return;
    is_collected = false;
  }
}

}  // namespace sallyport::lua
