// Scheduler: the state that all coroutines of one loop share: the ready queue, the timers, the current time, and how
// many octets were moved in this turn.
//
// It reads no clock and never blocks. A driver (uv::Loop, or ManualLoop in tests) sets the time and runs it. Code that
// wakes a coroutine posts it here, and only run_ready() resumes coroutines. So a coroutine never runs inside a step of
// another one, and waking one never deepens the stack. One thread only.
//
// A turn lasts from one look for events (of sockets, of other threads) to the next. The driver does these steps in
// each: it sets the time and calls collect_due(), looks for events and runs what they wake, then calls fire_due() and
// begin_turn(), and runs what these wake. So a deadline is judged only after one more look for what it is about: what
// arrived in time counts, though the process stood still until the deadline was over.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>

#include "gateway/async/fair_order.h"
#include "gateway/async/intrusive_list.h"
#include "gateway/async/timer_wheel.h"
#include "gateway/base/units.h"

namespace sallyport::async {

// One suspended coroutine and its place in the ready queue. It is a member of the awaiter; its destructor removes it
// from the queue.
class ReadyNode : private ListNode {
 public:
  explicit ReadyNode(std::coroutine_handle<> coroutine = nullptr) noexcept : coroutine(coroutine) {}
  bool is_posted() const noexcept { return is_linked(); }

  std::coroutine_handle<> coroutine;

 private:
  friend class Scheduler;
  // For those that wait for a later turn.
  std::size_t wanted_octets_ = 0;
  Payer payer_ = 0;
};

class Scheduler {
 public:
  // What all coroutines together may send, read and hash in one turn, before the loop looks for events again.
  static constexpr std::size_t octets_per_turn = std::size_t{1} << 20;

  explicit Scheduler(Time now) : now_(now), timers_(now) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The time at which the driver's current step began; it does not change within a step.
  Time now() const noexcept { return now_; }
  // True when there is no time left until the deadline. After a standstill there is a little more, for what comes of
  // the events of the time before: ask this instead of comparing with now(), where nothing is waited for.
  bool is_over(Time deadline) const noexcept { return deadline <= now_ && patient_until_ <= now_; }
  // How often the loop has stood still. Who measures how long others took leaves out a span in which this changed.
  std::uint64_t standstills() const noexcept { return standstills_; }
  // The number of this turn.
  std::uint64_t turn() const noexcept { return turn_; }
  TimerWheel& timers() noexcept { return timers_; }
  void set(Timer& timer, Time when) noexcept { timers_.set(timer, when); }

  // Queues the coroutine; run_ready() resumes it at the end of this step. Posting it again before that has no further
  // effect than moving it to the end of the queue.
  void post(ReadyNode& node) noexcept { ready_.push_back(node); }
  bool has_ready() const noexcept { return !ready_.empty(); }

  // For Share (share.h): true when this turn has room for so many octets more and nobody waits for room; they count
  // as moved then.
  bool take_share(std::size_t octets) noexcept;
  // Queues the coroutine behind those that wait at the expense of the same payer; run_ready() resumes it in a turn that
  // has room. The payers take turns.
  void wait_for_share(ReadyNode& node, std::size_t octets, Payer payer) noexcept;
  bool has_waiting_for_share() const noexcept { return !waiting_for_share_.empty(); }

  // For Background (background.h): queues the coroutine behind those that wait at the expense of the same payer;
  // run_ready() resumes one in each turn, when there is nothing else to resume. The payers take turns.
  void wait_in_background(ReadyNode& node, Payer payer) noexcept;
  // For who goes on in the background: true when others had something to do in this turn or the one before.
  bool is_busy() const noexcept { return was_busy_ || has_resumed_; }
  // True when somebody waits for a later turn: the driver begins one without waiting for an event.
  bool wants_turn() const noexcept { return !waiting_for_share_.empty() || !background_.empty(); }

  // -- for the driver --
  // Resumes all queued coroutines, including those queued meanwhile,
  // until the queue is empty.
  void run_ready();
  // Sets the time to `now` (never backwards); fires nothing.
  void set_time(Time now) noexcept { now_ = std::max(now_, now); }
  // Before and after the look for events: see TimerWheel.
  void collect_due() noexcept { timers_.collect(now_); }
  void fire_due() { timers_.fire(); }
  // After the look for events: what was moved before counts no more.
  void begin_turn() noexcept {
    ++turn_;
    moved_octets_ = 0;
    was_busy_ = has_resumed_;
    has_resumed_ = false;
    has_run_background_ = false;
  }
  // The loop stood still, and deadlines that are over meanwhile will be judged at this time.
  void note_standstill(Time patient_until) noexcept;
  // All of it for a driver that has no events to look for: sets the time and fires the timers that are due.
  void advance(Time now);

 private:
  bool has_room_for(std::size_t octets) const noexcept {
    return moved_octets_ == 0 || moved_octets_ + octets <= octets_per_turn;
  }
  ReadyNode* next_to_run() noexcept;

  Time now_;
  Time patient_until_ = Time::min();
  std::uint64_t standstills_ = 0;
  std::uint64_t turn_ = 0;
  TimerWheel timers_;
  ListHead ready_;
  FairQueue waiting_for_share_;
  FairQueue background_;
  std::size_t moved_octets_ = 0;
  // In this turn: somebody was resumed, other than from the background; and one from there was.
  bool has_resumed_ = false;
  bool has_run_background_ = false;
  bool was_busy_ = false;  // has_resumed_ of the turn before
};

}  // namespace sallyport::async
