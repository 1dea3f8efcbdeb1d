#include "gateway/async/timer_wheel.h"

#include <algorithm>

namespace sallyport::async {

namespace {

constexpr unsigned slot_bits = 6;

// How many ticks a slot of this level is wide.
constexpr std::uint64_t width(unsigned level) { return std::uint64_t{1} << (slot_bits * level); }

}  // namespace

// Rounded up: a timer never fires early.
std::uint64_t TimerWheel::ticks_until(Time when) const noexcept {
  if (when <= start_) return 0;
  // Unsigned, because Time::max() minus a start before the clock's zero has no signed value.
  auto ahead = static_cast<std::uint64_t>(when.time_since_epoch().count()) -
               static_cast<std::uint64_t>(start_.time_since_epoch().count());
  constexpr auto per_tick = static_cast<std::uint64_t>(tick.count());
  return ahead / per_tick + (ahead % per_tick != 0 ? 1 : 0);
}

void TimerWheel::set(Timer& timer, Time when) noexcept {
  timer.when_ = when;
  earliest_set_ = std::min(earliest_set_, when);
  if (when <= now_) return overdue_.push_back(timer);
  timer.due_ = std::max(ticks_until(when), reached_ + 1);
  place(timer);
}

// Level n holds what is due within 64^(n+1) ticks, in slots of 64^n ticks each.
void TimerWheel::place(Timer& timer) noexcept {
  // Beyond the reach of the last level: put into its last slot; hand_down() places it again from there.
  std::uint64_t ahead = std::min(timer.due_ - current_, width(levels) - 1);
  unsigned level = 0;
  while (ahead >= width(level + 1)) ++level;
  wheel_[level][((current_ + ahead) / width(level)) % slots].push_back(timer);
}

// At the first tick of an upper level's slot, the timers in that slot move down to slots of finer resolution.
void TimerWheel::hand_down() noexcept {
  for (unsigned level = 1; level < levels && current_ % width(level) == 0; ++level) {
    ListHead slot;
    slot.take_all(wheel_[level][(current_ / width(level)) % slots]);
    while (!slot.empty()) place(static_cast<Timer&>(*slot.front()));
  }
}

void TimerWheel::collect(Time now) noexcept {
  due_.take_all(overdue_);
  if (now <= now_) return;
  now_ = now;
  reached_ = static_cast<std::uint64_t>((now - start_) / tick);
  while (current_ < reached_) {
    // Skips the ticks at which nothing is due or handed down; after a long sleep that is nearly all of them.
    current_ = std::min(next_tick(), reached_);
    hand_down();
    due_.take_all(wheel_[0][current_ % slots]);
  }
}

void TimerWheel::fire() {
  while (!due_.empty()) {
    Timer& timer = static_cast<Timer&>(*due_.front());
    timer.clear();
    timer.fired();
  }
}

void TimerWheel::advance(Time now) {
  collect(now);
  fire();
}

std::uint64_t TimerWheel::next_tick() const noexcept {
  std::uint64_t soonest = never;
  for (unsigned level = 0; level < levels; ++level) {
    std::uint64_t slot = current_ / width(level);
    for (unsigned n = 1; n <= slots; ++n) {
      if (wheel_[level][(slot + n) % slots].empty()) continue;
      soonest = std::min(soonest, (slot + n) * width(level));
      break;
    }
  }
  return soonest;
}

std::optional<Time> TimerWheel::next() const noexcept {
  if (!overdue_.empty() || !due_.empty()) return now_;
  std::uint64_t at = next_tick();
  if (at == never) return std::nullopt;
  return start_ + tick * static_cast<std::int64_t>(at);
}

}  // namespace sallyport::async
