// HeldOctets: what one mail holds in memory, as part of Gauge::held_bytes. The destructor takes it off again. The
// counters outlive it; one thread.
#pragma once

#include <cstdint>

#include "gateway/base/counters.h"

namespace sallyport {

class HeldOctets {
 public:
  explicit HeldOctets(Counters& counters) noexcept : counters_(counters) {}
  HeldOctets(const HeldOctets&) = delete;
  HeldOctets& operator=(const HeldOctets&) = delete;
  ~HeldOctets() { set(0); }

  // Costs nothing where nothing has changed.
  void set(std::uint64_t octets) noexcept {
    if (octets == octets_) return;
    counters_.add(Gauge::held_bytes, static_cast<std::int64_t>(octets) - static_cast<std::int64_t>(octets_));
    octets_ = octets;
  }
  std::uint64_t octets() const noexcept { return octets_; }

 private:
  Counters& counters_;
  std::uint64_t octets_ = 0;
};

}  // namespace sallyport
