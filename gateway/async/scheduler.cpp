#include "gateway/async/scheduler.h"

namespace sallyport::async {

namespace {

// Pieces up to this size, such as commands, do not wait behind large ones: a part of each turn is theirs.
constexpr std::size_t small_octets = std::size_t{4} * 1024;
constexpr std::size_t octets_for_small = std::size_t{128} * 1024;

// What has to be free of a turn for a piece of this size.
std::size_t room_for(std::size_t octets) { return octets <= small_octets ? octets : octets + octets_for_small; }

}  // namespace

// Those that wait for a share come after all others. The first of them is the next in the order of turns; when it does
// not fit any more, neither does anybody else, so that nobody who moves little at a time is always before it.
ReadyNode* Scheduler::next_to_run() noexcept {
  if (!ready_.empty()) return static_cast<ReadyNode*>(ready_.front());
  if (waiting_for_share_.empty()) return nullptr;
  auto* first = static_cast<ReadyNode*>(waiting_for_share_.first());
  if (!has_room_for(room_for(first->wanted_octets_))) return nullptr;
  moved_octets_ += first->wanted_octets_;
  waiting_for_share_.serve(*first, first->payer_, first->wanted_octets_ + 1);
  return first;
}

void Scheduler::run_ready() {
  while (true) {
    ReadyNode* node = next_to_run();
    if (node) {
      has_resumed_ = true;
    } else if (!has_run_background_ && !background_.empty()) {
      has_run_background_ = true;
      node = static_cast<ReadyNode*>(background_.first());
      background_.serve(*node, node->payer_, 1);
    } else {
      return;
    }
    node->unlink();
    node->coroutine.resume();
  }
}

bool Scheduler::take_share(std::size_t octets) noexcept {
  const bool is_small = octets <= small_octets;
  if ((!is_small && !waiting_for_share_.empty()) || !has_room_for(room_for(octets))) return false;
  moved_octets_ += octets;
  return true;
}

void Scheduler::wait_for_share(ReadyNode& node, std::size_t octets, Payer payer) noexcept {
  node.wanted_octets_ = octets;
  node.payer_ = payer;
  waiting_for_share_.enter(node, payer);
}

void Scheduler::wait_in_background(ReadyNode& node, Payer payer) noexcept {
  node.payer_ = payer;
  background_.enter(node, payer);
}

void Scheduler::note_standstill(Time patient_until) noexcept {
  ++standstills_;
  patient_until_ = std::max(patient_until_, patient_until);
}

void Scheduler::advance(Time now) {
  set_time(now);
  collect_due();
  fire_due();
}

}  // namespace sallyport::async
