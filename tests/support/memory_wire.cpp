#include "tests/support/memory_wire.h"

#include <algorithm>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/io/stream.h"

namespace sallyport::support {

namespace {

// Suspends until everything that is ready now has run.
class Yield {
 public:
  explicit Yield(async::Scheduler& scheduler) : scheduler_(scheduler) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    node_.coroutine = coroutine;
    scheduler_.post(node_);
  }
  void await_resume() const noexcept {}

 private:
  async::Scheduler& scheduler_;
  async::ReadyNode node_;
};

}  // namespace

void MemoryWire::set_faults(Faults faults) {
  faults_ = std::move(faults);
  if (is_slow() && deliverer_.size() == 0) deliverer_.spawn(deliver_slowly());
  work_.notify();
  deliver();
}

std::size_t MemoryWire::send(std::string_view octets) {
  if (write_error_ || ended_) return 0;
  std::size_t room = faults_.transit_octets - std::min(faults_.transit_octets, in_transit_.size());
  std::size_t count = std::min(octets.size(), room);
  bool fails_now = false;
  if (faults_.write_fails) {
    std::uint64_t left = faults_.write_fails->after_octets - std::min(faults_.write_fails->after_octets, sent_);
    fails_now = count >= left;
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, left));
  }
  send_all(octets.substr(0, count));
  if (fails_now) fail(faults_.write_fails->error);
  return count;
}

void MemoryWire::send_all(std::string_view octets) {
  if (broken_ || ended_) return;
  in_transit_.append(octets);
  sent_ += octets.size();
  deliver();
}

void MemoryWire::end() {
  ended_ = true;
  work_.notify();
  news_.notify();
  room_.notify();
}

void MemoryWire::consume(std::size_t octets) {
  ensure(octets <= arrived().size(), "MemoryWire: more consumed than has arrived");
  consumed_ += octets;
  deliver();
}

void MemoryWire::move_block() {
  std::string moved;
  moved.reserve(io::block_octets);
  moved.append(arrived());
  block_ = std::move(moved);
  consumed_ = 0;
  deliver();
}

std::string MemoryWire::take_all() {
  std::string all(arrived());
  arrived_ += in_transit_.size();
  all += std::exchange(in_transit_, {});
  consumed_ = block_.size();
  room_.notify();
  return all;
}

std::optional<io::Error> MemoryWire::read_error() const {
  if (broken_) return broken_;
  bool is_stalled = faults_.stall_after && arrived_ >= *faults_.stall_after;
  if (ended_ && in_transit_.empty() && !is_stalled) return io::Error::closed;
  return std::nullopt;
}

void MemoryWire::fail(io::Error error) {
  if (broken_) return;
  broken_ = error;
  write_error_ = error;
  in_transit_.clear();
  news_.notify();
  room_.notify();
  work_.notify();
  if (error == io::Error::reset && opposite_) opposite_->fail(error);
}

void MemoryWire::refuse_more() {
  if (!write_error_) write_error_ = io::Error::reset;
  in_transit_.clear();
  room_.notify();
}

// How many octets in transit may arrive now. Octets that have arrived must not move, because the reader may hold a view
// of them; so room returns only when all are consumed, or by move_block().
std::size_t MemoryWire::deliverable() const {
  if (broken_) return 0;
  std::size_t used = consumed_ == block_.size() ? 0 : block_.size();
  std::uint64_t count = std::min(in_transit_.size(), io::block_octets - used);
  for (auto limit :
       {faults_.stall_after, faults_.read_fails ? std::optional(faults_.read_fails->after_octets) : std::nullopt}) {
    if (limit) count = std::min(count, *limit - std::min(*limit, arrived_));
  }
  return static_cast<std::size_t>(count);
}

void MemoryWire::deliver() {
  fail_when_due();
  if (is_slow()) {
    work_.notify();
    return;
  }
  deliver_piece(in_transit_.size());
}

void MemoryWire::deliver_piece(std::size_t most) {
  if (std::size_t count = std::min(most, deliverable())) {
    if (consumed_ == block_.size()) {
      block_.clear();
      consumed_ = 0;
    }
    block_.reserve(io::block_octets);
    block_.append(in_transit_, 0, count);
    in_transit_.erase(0, count);
    arrived_ += count;
    news_.notify();
    room_.notify();
  }
  fail_when_due();
  if (ended_ && in_transit_.empty()) news_.notify();
}

void MemoryWire::fail_when_due() {
  if (faults_.read_fails && arrived_ >= faults_.read_fails->after_octets) fail(faults_.read_fails->error);
}

Task<void> MemoryWire::deliver_slowly() {
  while (is_slow() && !broken_) {
    if (deliverable() == 0) {
      co_await work_.wait();
      continue;
    }
    if (faults_.piece_delay > Duration::zero()) {
      co_await async::sleep_for(scheduler_, faults_.piece_delay);
    }
    deliver_piece(faults_.piece_octets > 0 ? faults_.piece_octets : in_transit_.size());
    co_await Yield(scheduler_);
  }
}

}  // namespace sallyport::support
