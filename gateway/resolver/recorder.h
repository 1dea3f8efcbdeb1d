// Recorder: what happens to the resolver's questions, counted once and told to the log once (threats.md I8).
//
// Those who wait for a question share it, and may all be gone: its lines bear no session's id. A violation names the
// server that it came from, or whose address was forged; a fault says in our own words what went wrong. Neither holds
// the name that was asked for, so that a flood of names is one line with a count.
#pragma once

#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"

namespace sallyport::resolver {

class Recorder {
 public:
  // Both outlive it.
  Recorder(Counters& counters, Log& log) : counters_(counters), log_(log) {}

  void note(Total total) { counters_.add(total); }
  void note(Violation kind, const SocketAddress& server);
  void note(Fault kind, std::string_view detail);

 private:
  Counters& counters_;
  Log& log_;
};

}  // namespace sallyport::resolver
