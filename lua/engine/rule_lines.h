// RuleLines: how many lines of sp.log one rule may write, so that a rule that logs each mail of a flood does not drown
// the log. Counted by each worker.
#pragma once

#include <cstdint>

#include "gateway/base/units.h"

namespace sallyport::lua {

class RuleLines {
 public:
  static constexpr unsigned per_period = 60;
  static constexpr Duration period = std::chrono::minutes(1);

  // True if one more may be written now; else it counts as dropped.
  bool take(Time now) {
    if (now - begun_ >= period) {
      begun_ = now;
      lines_ = 0;
    }
    if (lines_ < per_period) {
      ++lines_;
      return true;
    }
    ++dropped_;
    return false;
  }
  // How many were dropped since the last call.
  std::uint64_t take_dropped() {
    const std::uint64_t dropped = dropped_;
    dropped_ = 0;
    return dropped;
  }

 private:
  Time begun_{};
  unsigned lines_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace sallyport::lua
