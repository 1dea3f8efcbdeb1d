// DrainedFigures: what processes that see their last sessions off have told this one, which serves in their place
// (gateway/control/drained.h). Their counts go into this process's figures, so that no mail is missing there; how many
// they are, and what they hold, are figures of their own.
//
// On the thread of the control socket only.
#pragma once

#include <map>
#include <string>

#include "gateway/base/metric.h"
#include "gateway/base/units.h"
#include "gateway/control/drained.h"

namespace sallyport::app {

class DrainedFigures {
 public:
  // One that has said nothing for so long has ended without a word; what it has counted stays.
  static constexpr Duration longest_silence = std::chrono::seconds(5);
  // Many more than drain at once.
  static constexpr std::size_t most_processes = 16;

  // `own`: the name of this process.
  explicit DrainedFigures(std::string own) : own_(std::move(own)) {}

  control::DrainedTaken take(control::Drained told, Time now);
  // Adds all counts to `metrics`, and the gauges of the processes that drain still.
  void add_to(Metrics& metrics, Time now) const;

 private:
  struct Told {
    control::Drained last;
    Time at{};
    bool is_over(Time now) const { return last.is_last || at + longest_silence <= now; }
  };
  bool make_room(Time now);

  const std::string own_;
  std::map<std::string, Told> processes_;  // those that have ended, too, as long as there is room
  Metrics others_;                         // the counts of those before
};

}  // namespace sallyport::app
