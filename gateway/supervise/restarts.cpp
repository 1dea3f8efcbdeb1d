#include "gateway/supervise/restarts.h"

#include <algorithm>

namespace sallyport::supervise {

namespace {

constexpr Duration long_enough = std::chrono::minutes(1);
constexpr int deaths_without_delay = 5;
constexpr Duration first_delay = std::chrono::milliseconds(500);
constexpr Duration longest_delay = std::chrono::seconds(30);
constexpr int most_doublings = 10;

}  // namespace

Duration Restarts::delay_after(std::optional<Duration> served) {
  if (served && *served >= long_enough) deaths_ = failures_ = 0;
  ++(served ? deaths_ : failures_);
  const int late = failures_ + std::max(deaths_ - deaths_without_delay, 0);
  if (late == 0) return Duration::zero();
  return std::min(first_delay * (1 << std::min(late - 1, most_doublings)), longest_delay);
}

}  // namespace sallyport::supervise
