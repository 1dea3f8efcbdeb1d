#include "gateway/state/gcra.h"

#include <algorithm>
#include <cstdint>

namespace sallyport::state {

namespace {

// Longer than any rate needs, and short enough that no sum of two times overflows.
constexpr Duration longest = std::chrono::hours(24 * 365 * 10);

Duration times(Duration interval, std::uint64_t count) {
  if (interval <= Duration::zero()) return Duration::zero();
  const auto most = static_cast<std::uint64_t>(longest / interval);
  return count >= most ? longest : interval * static_cast<std::int64_t>(count);
}

// The time between two events at the rate, whose count is not 0.
Duration interval_of(const Rate& rate) {
  const auto per = static_cast<std::uint64_t>(std::clamp(rate.per, Duration::zero(), longest).count());
  return Duration(static_cast<std::int64_t>(per / rate.count));
}

}  // namespace

io::RateAnswer take_one(Time& arrival, const Rate& rate, Time now) {
  if (rate.count == 0) return {false, rate.per};
  const Duration interval = interval_of(rate);
  const Duration tolerance = times(interval, std::max<std::uint64_t>(rate.burst, 1) - 1);
  const Time at = std::max(arrival, now);
  if (now < at - tolerance) return {false, at - tolerance - now};
  arrival = at + interval;
  return {true, Duration::zero()};
}

void give_back_one(Time& arrival, const Rate& rate, Time now) {
  if (rate.count == 0) return;
  arrival = std::max(arrival - interval_of(rate), now);
}

}  // namespace sallyport::state
