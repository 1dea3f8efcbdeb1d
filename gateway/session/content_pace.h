// ContentPace: how fast the content of one mail comes, against what limits.data_rate asks (threats.md R1).
//
// Only time in which the client was waited for counts, over all chunks and the waits between them (R19): what we, the
// server behind or a loop that stood still take is not the client's. From `after` on, the average must not be lower
// than the rate.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "gateway/base/units.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::session {

class ContentPace {
 public:
  // No demand.
  ContentPace() = default;
  explicit ContentPace(const config::Settings& settings)
      : octets_per_second_(settings.limits.data_rate), after_(settings.timeouts.data_rate_after) {}

  void came(std::uint64_t octets) noexcept { octets_ += octets; }
  void waited(Duration duration) noexcept { waited_ += duration; }

  // Until when the next octets have to be here, if the client is waited for from `now` on; at most a week ahead.
  Time deadline(Time now) const noexcept { return now + std::max(allowed() - waited_, Duration::zero()); }
  bool is_too_slow() const noexcept { return waited_ >= allowed(); }
  // For the log: "1200 octets in 60 s".
  std::string describe() const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited_).count();
    return std::to_string(octets_) + " octets in " + std::to_string(seconds) + " s";
  }

 private:
  // How long all that has come may have taken.
  Duration allowed() const noexcept {
    constexpr std::chrono::seconds most = std::chrono::hours(24 * 7);
    if (octets_per_second_ == 0) return most;
    const std::uint64_t seconds = std::min<std::uint64_t>(octets_ / octets_per_second_, most.count());
    return std::max<Duration>(after_, std::chrono::seconds(seconds));
  }

  std::uint64_t octets_per_second_ = 0;
  Duration after_{};
  std::uint64_t octets_ = 0;
  Duration waited_{};
};

}  // namespace sallyport::session
