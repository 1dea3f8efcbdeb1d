// StallWatch: whether a loop of a serving process stands still while the machine does not (threats.md R13).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gateway/base/units.h"
#include "gateway/supervise/board.h"

namespace sallyport::supervise {

class StallWatch {
 public:
  // Called about once a second. True: some loop has had the same last beat for ten of these looks in a row, and for ten
  // seconds. Where the whole machine (or this process) stood still there were no looks, so that counts for one at most.
  bool has_stalled(const Board& board, Time now);

 private:
  std::array<Time, Board::most_loops> beats_{};
  std::array<std::uint8_t, Board::most_loops> looks_{};
};

}  // namespace sallyport::supervise
