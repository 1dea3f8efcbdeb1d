#include "gateway/app/loop_watch.h"

#include "gateway/async/wait.h"

namespace sallyport::app {

namespace {

constexpr Duration long_stall = std::chrono::seconds(1);
constexpr int looks_wanted = 3;

}  // namespace

Task<void> note_turns(async::Scheduler& scheduler, supervise::Board& board, std::size_t loop) {
  while (true) {
    board.beat(loop, scheduler.now());
    co_await async::sleep_for(scheduler, LoopWatch::interval);
  }
}

std::vector<LoopWatch::Stall> LoopWatch::look(const supervise::Board& board, Time now) {
  std::vector<Stall> ended;
  for (std::size_t loop = 0; loop < loops_.size(); ++loop) {
    Seen& seen = loops_[loop];
    const auto beat = board.last_beat(loop);
    const bool is_late = now - seen.last_look > 3 * interval;
    if (beat && *beat == seen.beat) {
      if (!is_late) ++seen.looks;
    } else {
      const Duration length = beat ? *beat - seen.beat : Duration::zero();
      if (seen.looks >= looks_wanted && length > long_stall) ended.push_back({loop, length});
      seen.beat = beat.value_or(Time());
      seen.looks = 0;
    }
    seen.last_look = now;
  }
  return ended;
}

}  // namespace sallyport::app
