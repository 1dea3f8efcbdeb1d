// What a process that sees its last sessions off tells the one that serves in its place, once a second and at its end:
//
//   {"command":"drained","process":"4711-123456","number":1,"for":"","grown":[metrics as in metrics.h],
//    "sessions":3,"memory":123456,"is_last":false}
//     ->   {"ok":true,"by":"4720-234567","taken":true}
//
// `grown` is all that has been counted since the process told another one last, or since it handed over. `for` is who
// took the last message: when another process has got the place meanwhile, it takes nothing, says its own name, and is
// told only what the other one has not had. So each event is in the figures of one process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/metric.h"
#include "gateway/base/result.h"

namespace sallyport::control {

inline constexpr std::size_t max_drained_bytes = 4u << 20;
inline constexpr std::string_view drained_command = "drained";

struct Drained {
  std::string process;       // that no other of this machine's has, before or after
  std::uint64_t number = 0;  // of the message: an earlier one that comes later counts for nothing
  std::string taker;         // "for"; empty: nobody has taken anything yet
  Metrics grown;             // counters and histograms alone
  std::uint64_t sessions = 0;
  std::uint64_t memory = 0;  // octets in use
  bool is_last = false;      // the process ends now
  friend bool operator==(const Drained&, const Drained&) = default;
};

struct DrainedTaken {
  std::string by;
  bool taken = false;
  friend bool operator==(const DrainedTaken&, const DrainedTaken&) = default;
};

std::string encode_drained(const Drained& drained);
Result<Drained> decode_drained(std::string_view line);

std::string encode_drained_taken(const DrainedTaken& taken);
// The failure is the error the other side sent, or what is wrong with the line.
Result<DrainedTaken> decode_drained_taken(std::string_view line);

}  // namespace sallyport::control
