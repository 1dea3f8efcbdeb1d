// Pressure: how much of limits.sessions and of the memory is in use, as all workers see it (threats.md R3).
//
// Sessions are counted by the SessionTable, what messages hold by the counters (Gauge::held_bytes); both are looked at
// when somebody asks. What memory there is, and how much of it is in use, a watch tells now and then
// (app/pressure_watch.h). Any thread may ask and tell at any time.
#pragma once

#include <atomic>
#include <cstdint>

#include "gateway/base/counters.h"
#include "gateway/io/pressure.h"
#include "gateway/state/session_table.h"

namespace sallyport::state {

class Pressure final : public io::Pressure {
 public:
  // In percent, of each.
  static constexpr std::uint64_t high_at = 80;
  static constexpr std::uint64_t full_at = 95;

  // Both outlive it.
  Pressure(const SessionTable& slots, const Counters& counters) : slots_(slots), counters_(counters) {}

  Level level() const noexcept override;
  Level level_for_one_inside() const noexcept override;

  // How much of the memory is in use, and how much there is.
  void set_memory(std::uint64_t percent, std::uint64_t limit) noexcept {
    memory_percent_.store(percent, std::memory_order_relaxed);
    memory_limit_.store(limit, std::memory_order_relaxed);
  }
  // Whether there has been pressure until a moment ago: then places are made free for a little longer, so that it does
  // not come back at once.
  void set_recent(bool is_recent) noexcept { is_recent_.store(is_recent, std::memory_order_relaxed); }
  bool is_recent() const noexcept { return is_recent_.load(std::memory_order_relaxed); }
  std::uint64_t memory_percent() const noexcept;
  std::uint64_t sessions_percent() const noexcept { return percent_of_sessions(slots_.sessions()); }

  static Level level_at(std::uint64_t percent) noexcept;

 private:
  std::uint64_t percent_of_sessions(std::uint64_t sessions) const noexcept;

  const SessionTable& slots_;
  const Counters& counters_;
  std::atomic<std::uint64_t> memory_percent_{0};
  std::atomic<std::uint64_t> memory_limit_{0};  // 0: unknown
  std::atomic<bool> is_recent_{false};
};

}  // namespace sallyport::state
