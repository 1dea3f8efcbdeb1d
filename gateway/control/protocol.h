// The protocol of the control socket: one JSON object as a request line, one as the response line, then the connection
// ends.
//
//   {"command":"stats"}   ->   {"ok":true,"stats":{"sallyport_sessions":12, ...}}
//   anything else         ->   {"ok":false,"error":"..."}
//
// Who may connect is decided by the socket's mode (0660). Still both sides are bounded, and a line that is not what it
// should be is an error and nothing worse. Lines are given and taken without their final LF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::control {

inline constexpr std::size_t max_request_bytes = 64u << 10;
inline constexpr std::size_t max_response_bytes = 1u << 20;

// The socket's name within the state directory.
inline constexpr std::string_view socket_name = "control.sock";
std::string socket_path(std::string_view state_path);

struct Request {
  std::string command;
  friend bool operator==(const Request&, const Request&) = default;
};

std::string encode(const Request& request);
Result<Request> decode_request(std::string_view line);

// Name and value, in the order in which they are to be read.
using Stats = std::vector<std::pair<std::string, std::int64_t>>;

std::string encode_stats(const Stats& stats);
std::string encode_error(std::string_view message);
// The names and values alone, for programs.
std::string stats_json(const Stats& stats);
// The failure is the other side's error, or what is wrong with the line.
Result<Stats> decode_stats(std::string_view line);

}  // namespace sallyport::control
