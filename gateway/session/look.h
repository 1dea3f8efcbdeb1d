// Look: what is seen of an open session from outside, at one moment: for `sallyport sessions`.
//
// A plain value. Texts of peers (helo, sender) are as the peer gave them, at most most_text octets of each; who shows
// them makes them showable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/endpoint.h"
#include "gateway/base/fields.h"
#include "gateway/base/units.h"

namespace sallyport {

namespace policies {
struct Transaction;
}

namespace session {

struct Listener;
struct MailUnderWay;

// What a session is doing.
enum class Phase : std::uint8_t {
  connecting,  // before the greeting: a balancer's header, the checks on the connection
  handshake,   // of TLS
  command,     // waits for the client's next command
  working,     // on the command that `verb` names: look-ups, the server's answer
  content,     // the message comes in
  checking,    // the message is there, the checks look at it
  relaying,    // it goes to the server behind, which has not answered yet
  reply,       // the client has not read its replies yet
  ending,      // the last reply is being sent
};

}  // namespace session

template <>
inline constexpr auto words_of<session::Phase> = std::to_array<std::string_view>(
    {"connecting", "handshake", "command", "working", "content", "checking", "relaying", "reply", "ending"});

namespace session {

struct Look {
  static constexpr std::size_t most_text = 128;

  std::string id;  // of the mail under way, else of the session
  Phase phase = Phase::connecting;
  std::string verb;      // the last command: "RCPT"; empty before the first
  std::string protocol;  // "smtp"; "milter"
  SocketAddress peer;    // who has connected
  IpAddress client;      // whose session it is; another address than the peer's behind a balancer or an MTA
  Endpoint listener;
  std::string tenant;  // empty: not known yet
  bool is_tls = false;
  std::string helo;
  std::optional<std::string> sender;  // of the mail under way; nothing: there is none
  std::uint64_t recipients = 0;       // accepted
  std::uint64_t held_octets = 0;      // by the message, in memory
  Time began{};
  Time in_phase_since{};
  // Since when the client lets us wait, to send something or to read; nothing: it does not.
  std::optional<Time> client_silent_since;
};

// What there is to see whoever serves the client, by SMTP or for an MTA: who it is, and the mail under way (null:
// none). What is being done, and since when, is left to the caller.
Look look_at(const policies::Transaction& connection, const MailUnderWay* mail, const Listener& listener);

}  // namespace session

}  // namespace sallyport
