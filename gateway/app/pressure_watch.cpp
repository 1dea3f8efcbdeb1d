#include "gateway/app/pressure_watch.h"

#include <algorithm>

namespace sallyport::app {

namespace {

constexpr Duration quiet_time = std::chrono::seconds(3);
constexpr Duration trim_interval_under_pressure = std::chrono::seconds(2);

std::string_view word(io::Pressure::Level level) {
  switch (level) {
    case io::Pressure::Level::none:
      return "none";
    case io::Pressure::Level::high:
      return "high";
    case io::Pressure::Level::full:
      break;
  }
  return "full";
}

}  // namespace

void PressureWatch::look(std::vector<ProcessMemory::Limit> system, std::uint64_t configured, MemoryInUse in_use,
                         Time now) {
  using Level = io::Pressure::Level;
  if (configured > 0) system.push_back({ProcessMemory::Measure::resident, configured});
  held_ = static_cast<std::uint64_t>(std::max<std::int64_t>(counters_.get(Gauge::held_bytes), 0));
  share_ = memory_.share(system, in_use, held_);
  pressure_.set_memory(share_.percent(), share_.limit);
  counters_.set(Gauge::memory_bytes, static_cast<std::int64_t>(in_use.resident));
  counters_.set(Gauge::memory_limit_bytes, static_cast<std::int64_t>(share_.limit));
  const std::uint64_t percent = std::max(pressure_.memory_percent(), pressure_.sessions_percent());
  counters_.set(Gauge::pressure_percent, static_cast<std::int64_t>(percent));

  const Level level = state::Pressure::level_at(percent);
  if (level >= told_) lower_since_ = Time::max();
  if (level > told_) return tell(level);
  if (level == told_) return;
  lower_since_ = std::min(lower_since_, now);
  if (now - lower_since_ >= quiet_time) tell(level);
}

void PressureWatch::tell(io::Pressure::Level level) {
  told_ = level;
  pressure_.set_recent(level != io::Pressure::Level::none);
  lower_since_ = Time::max();
  const auto importance = level == io::Pressure::Level::none ? LogLevel::info : LogLevel::warning;
  log_.write(importance, "pressure",
             {{"pressure", word(level)},
              {"memory", static_cast<std::int64_t>(pressure_.memory_percent())},
              {"sessions", static_cast<std::int64_t>(pressure_.sessions_percent())},
              {"limit", static_cast<std::int64_t>(share_.limit)}});
}

bool PressureWatch::wants_trim(Time now) {
  const bool is_mostly_held = held_ >= share_.used / 2 + share_.used / 4;
  const bool is_scarce = state::Pressure::level_at(share_.percent()) != io::Pressure::Level::none && !is_mostly_held;
  if (!last_trim_) last_trim_ = now - trim_interval_under_pressure;
  if (now - *last_trim_ < (is_scarce ? trim_interval_under_pressure : trim_interval_)) return false;
  last_trim_ = now;
  return true;
}

void PressureWatch::trim_took(Duration time) { trim_interval_ = std::max(least_trim_interval, 1000 * time); }

}  // namespace sallyport::app
