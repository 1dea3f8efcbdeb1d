// Histogram: how long something took, each time: counts in fixed buckets, for Prometheus.
//
// Any thread may add at any time; adding is two relaxed atomic operations and a search among 18 bounds. What is read
// while others add may miss the latest.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "gateway/base/units.h"

namespace sallyport {

class Histogram {
 public:
  // The upper bounds of the buckets; what is longer is in the last, which has none.
  static constexpr std::array<Duration, 18> bounds{
      std::chrono::microseconds(100),  std::chrono::microseconds(500), std::chrono::milliseconds(1),
      std::chrono::microseconds(2500), std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
      std::chrono::milliseconds(25),   std::chrono::milliseconds(50),  std::chrono::milliseconds(100),
      std::chrono::milliseconds(250),  std::chrono::milliseconds(500), std::chrono::seconds(1),
      std::chrono::milliseconds(2500), std::chrono::seconds(5),        std::chrono::seconds(10),
      std::chrono::seconds(30),        std::chrono::seconds(60),       std::chrono::seconds(300)};

  // A negative time counts as none.
  void add(Duration took) noexcept {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(std::max(took, Duration::zero()));
    sum_micros_.fetch_add(static_cast<std::uint64_t>(micros.count()), std::memory_order_relaxed);
  }

  // Of one bucket alone, not of those below it.
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum_seconds() const noexcept { return static_cast<double>(sum_micros_.load(std::memory_order_relaxed)) / 1e6; }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_micros_{0};
};

}  // namespace sallyport
