// PressureWatch: looks a few times a second how much memory is in use, tells all workers (state::Pressure), and logs
// when pressure begins, rises and ends (threats.md R3).
//
// One worker runs it beside its sessions. A look costs some microseconds; that pressure has ended is believed when it
// has been lower for a few seconds, so that what goes up and down at its edge makes two lines and not a thousand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/app/process_memory.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/units.h"
#include "gateway/state/pressure.h"

namespace sallyport::app {

class PressureWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds(200);
  static constexpr Duration least_trim_interval = std::chrono::seconds(10);

  // All three outlive it.
  PressureWatch(state::Pressure& pressure, Counters& counters, Log& log, MemoryInUse at_start)
      : pressure_(pressure), counters_(counters), log_(log), memory_(at_start) {}

  // `system`: the limits of the system; `configured`: limits.memory, 0 for none.
  void look(std::vector<ProcessMemory::Limit> system, std::uint64_t configured, MemoryInUse in_use, Time now);
  // Whether it is time for trim_heap(): every few seconds, so that what a busy moment took does not stay for ever.
  // Under pressure more often, unless nearly all of the memory in use is held by mails.
  bool wants_trim(Time now);
  // What the last one took. The next waits a thousand times as long, so that large heaps cost no more than small ones.
  void trim_took(Duration time);

 private:
  void tell(io::Pressure::Level level);

  state::Pressure& pressure_;
  Counters& counters_;
  Log& log_;
  const ProcessMemory memory_;
  ProcessMemory::Share share_{0, 1};
  std::uint64_t held_ = 0;
  io::Pressure::Level told_ = io::Pressure::Level::none;
  Time lower_since_ = Time::max();
  std::optional<Time> last_trim_;
  Duration trim_interval_ = least_trim_interval;
};

}  // namespace sallyport::app
