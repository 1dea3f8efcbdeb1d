// WatchedClock: io::Clock by the host's clock, with what the process has seen of its jumps.
#pragma once

#include <chrono>

#include "gateway/io/clock.h"
#include "gateway/state/clock_watch.h"

namespace sallyport::app {

class WatchedClock final : public io::Clock {
 public:
  explicit WatchedClock(state::ClockWatch& watch) : watch_(watch) {}

  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
  bool is_suspect() const override { return watch_.is_suspect_now(); }

 private:
  state::ClockWatch& watch_;
};

}  // namespace sallyport::app
