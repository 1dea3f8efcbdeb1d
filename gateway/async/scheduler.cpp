#include "gateway/async/scheduler.h"

namespace sallyport::async {

// Those that wait for a share come after all others. The first of them has waited longest; when it does not fit any
// more, neither does anybody else, so that nobody who moves little at a time is always before it.
ReadyNode* Scheduler::next_to_run() noexcept {
  if (!ready_.empty()) return static_cast<ReadyNode*>(ready_.front());
  if (waiting_for_share_.empty()) return nullptr;
  auto* first = static_cast<ReadyNode*>(waiting_for_share_.front());
  if (!has_room_for(first->wanted_octets_)) return nullptr;
  moved_octets_ += first->wanted_octets_;
  return first;
}

void Scheduler::run_ready() {
  while (ReadyNode* node = next_to_run()) {
    node->unlink();
    node->coroutine.resume();
  }
}

bool Scheduler::take_share(std::size_t octets) noexcept {
  if (!waiting_for_share_.empty() || !has_room_for(octets)) return false;
  moved_octets_ += octets;
  return true;
}

void Scheduler::wait_for_share(ReadyNode& node, std::size_t octets) noexcept {
  node.wanted_octets_ = octets;
  waiting_for_share_.push_back(node);
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
