// Whether the loops turn (threats.md R13): each notes it on the board that the supervising process reads, and the
// daemon's own loop tells when another one had stood still for more than a second.
#pragma once

#include <cstddef>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/supervise/board.h"

namespace sallyport::app {

// Runs on the loop with this number. Ends never.
Task<void> note_turns(async::Scheduler& scheduler, supervise::Board& board, std::size_t loop);

class LoopWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds(250);

  struct Stall {
    std::size_t loop = 0;
    Duration length{};
  };

  explicit LoopWatch(std::size_t loops) : loops_(loops) {}
  // Called every `interval`. The stalls that have ended since the last look. One counts only if several looks, each in
  // its time, have seen it: where the whole process or the machine stood still, nobody looked.
  std::vector<Stall> look(const supervise::Board& board, Time now);

 private:
  struct Seen {
    Time beat{};
    int looks = 0;  // at this same beat
    Time last_look{};
  };
  std::vector<Seen> loops_;
};

}  // namespace sallyport::app
