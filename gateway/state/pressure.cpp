#include "gateway/state/pressure.h"

#include <algorithm>

namespace sallyport::state {

io::Pressure::Level Pressure::level_at(std::uint64_t percent) noexcept {
  if (percent >= full_at) return Level::full;
  return percent >= high_at ? Level::high : Level::none;
}

std::uint64_t Pressure::memory_percent() const noexcept {
  const std::uint64_t told = memory_percent_.load(std::memory_order_relaxed);
  const std::uint64_t limit = memory_limit_.load(std::memory_order_relaxed);
  const std::int64_t held = counters_.get(Gauge::held_bytes);
  return limit == 0 || held <= 0 ? told : std::max(told, static_cast<std::uint64_t>(held) * 100 / limit);
}

std::uint64_t Pressure::percent_of_sessions(std::uint64_t sessions) const noexcept {
  return sessions * 100 / std::max<std::uint64_t>(slots_.most_sessions(), 1);
}

io::Pressure::Level Pressure::level() const noexcept {
  return level_at(std::max(memory_percent(), percent_of_sessions(slots_.sessions())));
}

io::Pressure::Level Pressure::level_for_one_inside() const noexcept {
  const std::uint64_t sessions = slots_.sessions();
  return level_at(std::max(memory_percent(), percent_of_sessions(sessions - std::min<std::uint64_t>(sessions, 1))));
}

}  // namespace sallyport::state
