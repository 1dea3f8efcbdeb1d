// FakeClock: a wall clock that the test sets. When it was given a scheduler, it advances with the scheduler's time.
#pragma once

#include "gateway/async/scheduler.h"
#include "gateway/base/units.h"
#include "gateway/io/clock.h"

namespace sallyport::support {

class FakeClock final : public io::Clock {
 public:
  // Shows 2026-11-22T12:00:00Z and does not advance.
  FakeClock() = default;
  explicit FakeClock(WallTime now) : set_to_(now) {}
  // Starts at `now` and advances with the scheduler's time.
  FakeClock(WallTime now, const async::Scheduler& follows) : set_to_(now), follows_(&follows), set_at_(follows.now()) {}

  WallTime wall_now() const override {
    if (!follows_) return set_to_;
    return set_to_ + std::chrono::duration_cast<WallTime::duration>(follows_->now() - set_at_);
  }
  bool is_suspect() const override { return is_suspect_; }
  void set_suspect(bool is_suspect) { is_suspect_ = is_suspect; }
  // Sets the clock forwards or back, as an administrator might; deadlines must not be affected.
  void set(WallTime now) {
    set_to_ = now;
    if (follows_) set_at_ = follows_->now();
  }
  void advance(Duration duration) { set(wall_now() + std::chrono::duration_cast<WallTime::duration>(duration)); }

 private:
  WallTime set_to_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);
  const async::Scheduler* follows_ = nullptr;
  Time set_at_{};
  bool is_suspect_ = false;
};

}  // namespace sallyport::support
