// Recorder: counts and logs the resolver's violations and faults, once per question (threats.md I8).
//
// Several sessions may wait for one question, and all may have ended, so its log lines carry no session id. A violation
// names the server that sent the packet or whose address was forged; a fault has a text of ours. Neither contains the
// name that was asked for, so that the log can merge a flood of them into one line with a count.
#pragma once

#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/timings.h"

namespace sallyport::resolver {

class Recorder {
 public:
  // All must outlive the recorder.
  Recorder(Counters& counters, Log& log) : counters_(counters), log_(log) {}

  void measure_with(Timings& timings) { timings_ = &timings; }

  void note(Total total) { counters_.add(total); }
  void note(Timing what, Duration took) {
    if (timings_) timings_->add(what, took);
  }
  void note(Violation kind, const SocketAddress& server);
  void note(Fault kind, std::string_view detail);

 private:
  Counters& counters_;
  Log& log_;
  Timings* timings_ = nullptr;
};

}  // namespace sallyport::resolver
