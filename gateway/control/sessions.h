// What `sallyport sessions` asks the daemon for: sessions that are open, the first of an order (protocol.h):
//
//   {"command":"sessions","sort":"age","limit":50}
//     ->   {"ok":true,"open":12034,"silent_workers":0,"sessions":[{"id":"01JD3K7Q", ...}, ...]}
//
// "sort" and "limit" may be missing. At most most_sessions are told, however many are open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/base/result.h"

namespace sallyport {

namespace control {

// The most of it comes first; what is equal by it, by age.
enum class SessionOrder : std::uint8_t {
  age,    // since the connection
  idle,   // since the client has done anything; who does not let us wait comes last
  held,   // octets that the message holds
  state,  // how long it has been in its state
};

}  // namespace control

template <>
inline constexpr auto words_of<control::SessionOrder> =
    std::to_array<std::string_view>({"age", "idle", "held", "state"});

namespace control {

struct SessionsRequest {
  static constexpr std::size_t most_sessions = 10'000;

  SessionOrder order = SessionOrder::age;
  std::size_t limit = 50;
  friend bool operator==(const SessionsRequest&, const SessionsRequest&) = default;
};

struct SessionReport {
  std::string id;
  std::string state;     // a word of session::Phase
  std::string verb;      // the last command; empty: none yet, or a protocol without
  std::string protocol;  // "smtp", "milter"
  std::string peer;      // "192.0.2.1:1234", who has connected
  std::string client;    // "192.0.2.1"
  std::string listener;
  std::string tenant;  // empty: not known yet
  bool tls = false;
  std::string helo;                   // the peer's words
  std::optional<std::string> sender;  // the peer's words; nothing: no mail is under way
  std::uint64_t recipients = 0;
  std::uint64_t held = 0;  // octets
  std::uint64_t worker = 0;
  // Milliseconds.
  std::int64_t age = 0;
  std::int64_t in_state = 0;
  std::optional<std::int64_t> idle;  // how long the client lets us wait; nothing: it does not
  friend bool operator==(const SessionReport&, const SessionReport&) = default;
};

struct SessionReports {
  std::uint64_t open = 0;            // sessions that were looked at
  std::uint64_t silent_workers = 0;  // have not answered in time: their sessions are missing
  std::vector<SessionReport> sessions;
  friend bool operator==(const SessionReports&, const SessionReports&) = default;
};

std::string encode_sessions_request(const SessionsRequest& request);
// The failure says what is wrong with the line.
Result<SessionsRequest> decode_sessions_request(std::string_view line);
std::string encode_sessions(const SessionReports& reports);
// The failure is the error the other side sent, or what is wrong with the line.
Result<SessionReports> decode_sessions(std::string_view line);
// What encode_sessions() says, without "ok", for other programs.
std::string sessions_json(const SessionReports& reports);

}  // namespace control

}  // namespace sallyport
