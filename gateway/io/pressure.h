// Pressure: how near the gateway is to the end of its memory or of limits.sessions, over all workers (threats.md R3).
// state/pressure.h has the one of a running gateway.
#pragma once

#include <cstdint>

namespace sallyport::io {

class Pressure {
 public:
  enum class Level : std::uint8_t {
    none,
    // Four fifths are in use: new sessions are refused, clients have less patience, messages less memory.
    high,
    // 95 % are in use: no mail is begun, too.
    full,
  };
  virtual ~Pressure() = default;
  // Any thread, at any time: it costs a few loads.
  virtual Level level() const noexcept = 0;
  // The same as seen by a session that has a place: without its own. A gateway with few places refuses no mail of
  // sessions that it has admitted.
  virtual Level level_for_one_inside() const noexcept = 0;
};

}  // namespace sallyport::io
