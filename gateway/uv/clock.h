// SystemClock: io::Clock by the host's clock.
#pragma once

#include "gateway/io/clock.h"

namespace sallyport::uv {

class SystemClock final : public io::Clock {
 public:
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
};

}  // namespace sallyport::uv
