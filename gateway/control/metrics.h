// What the admin process and `sallyport top` ask the daemon for: all its figures, and why it is not ready (protocol.h):
//
//   {"command":"metrics"}   ->   {"ok":true,"metrics":[{"name":..., "help":..., "type":"counter",
//                                 "samples":[{"labels":[["kind","spool"]],"value":1}]}],"not_ready":["draining"]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/metric.h"
#include "gateway/base/result.h"

namespace sallyport::control {

struct State {
  Metrics metrics;
  std::vector<std::string> not_ready;  // a sentence each, without names of peers; empty: mail is served
  friend bool operator==(const State&, const State&) = default;
};

std::string encode_state(const State& state);
// The failure is the error the other side sent, or what is wrong with the line.
Result<State> decode_state(std::string_view line);

}  // namespace sallyport::control
