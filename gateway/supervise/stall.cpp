#include "gateway/supervise/stall.h"

namespace sallyport::supervise {

namespace {

constexpr Duration longest_stall = std::chrono::seconds(10);
constexpr std::uint8_t looks_wanted = 10;

}  // namespace

bool StallWatch::has_stalled(const Board& board, Time now) {
  for (std::size_t loop = 0; loop < Board::most_loops; ++loop) {
    const auto beat = board.last_beat(loop);
    if (!beat || *beat != beats_[loop]) {
      beats_[loop] = beat.value_or(Time());
      looks_[loop] = 0;
      continue;
    }
    if (looks_[loop] < looks_wanted) ++looks_[loop];
    if (looks_[loop] == looks_wanted && now - *beat >= longest_stall) return true;
  }
  return false;
}

}  // namespace sallyport::supervise
