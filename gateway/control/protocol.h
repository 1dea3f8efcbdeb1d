// The protocol of the control socket: one line with a JSON object as request, one as response, then the connection
// ends.
//
//   {"command":"stats"}   ->   {"ok":true,"stats":{"sallyport_sessions":12, ...}}
//   {"command":"upstreams"} -> see upstreams.h
//   {"command":"lists"}   ->   see lists.h
//   {"command":"metrics"} ->   see metrics.h
//   {"command":"sessions"} -> see sessions.h
//   {"command":"values"}  ->   {"ok":true,"values":"limits.hops\t100\n..."}
//   {"command":"reload"}  ->   {"ok":true,"reloaded":{"config":"0123456789abcdef","changed":"...","needs_restart":[]}}
//                         or   {"ok":false,"error":"...","errors":["FILE:LINE:COL: error: ...", ...]}
//   {"command":"upgrade"} ->   see upgrade.h
//   {"command":"drain"}   ->   {"ok":true}: the daemon lets what is under way finish, and ends
//   {"command":"hand_over"} -> {"ok":true}: the daemon is ending, and has given up its control socket to the one who
//   asks anything else         ->   {"ok":false,"error":"..."}
//
// The socket's mode (0660) decides who may connect. Lines are still limited in length on both sides, and a malformed
// line is an error. Functions here take and give lines without their LF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::control {

inline constexpr std::size_t max_request_bytes = 64u << 10;
inline constexpr std::size_t max_response_bytes = 16u << 20;  // the values of several thousand tenants

// The socket's file name in the state directory.
inline constexpr std::string_view socket_name = "control.sock";
std::string socket_path(std::string_view state_path);

struct Request {
  std::string command;
  friend bool operator==(const Request&, const Request&) = default;
};

std::string encode(const Request& request);
Result<Request> decode_request(std::string_view line);

// Names and values, in display order.
using Stats = std::vector<std::pair<std::string, std::int64_t>>;

std::string encode_stats(const Stats& stats);
std::string encode_error(std::string_view message);
// The "stats" object alone, for other programs.
std::string stats_json(const Stats& stats);
// The failure is the error the other side sent, or what is wrong with the line.
Result<Stats> decode_stats(std::string_view line);

// An answer that says no more than that it was done. The failure is as for decode_stats().
std::string encode_done();
Result<Done> decode_done(std::string_view line);

// The effective values of the configuration that runs, as gateway/config/diff.h writes and reads them.
std::string encode_values(std::string_view values);
Result<std::string> decode_values(std::string_view line);

// A reload that was taken.
struct Reloaded {
  std::string config;                      // the hash of the configuration that is in force now
  std::string changed;                     // in words
  std::vector<std::string> needs_restart;  // keys whose new value has no effect yet
  std::string incomplete;                  // why not all of the gateway serves by it; empty: all does
  friend bool operator==(const Reloaded&, const Reloaded&) = default;
};
// Why a reload was not taken, a line each.
using ReloadErrors = std::vector<std::string>;

std::string encode_reloaded(const Reloaded& reloaded);
std::string encode_reload_errors(const ReloadErrors& errors);
// The error: what the other side found wrong with the configuration, or a failure as for decode_stats().
Result<Result<Reloaded, ReloadErrors>> decode_reloaded(std::string_view line);

}  // namespace sallyport::control
