// Reads the octets of a connection as commands, replies and messages; works for the client's side of the gateway and
// for the upstream's.
//
// It is a second, simple implementation for the invariants and the model: it uses none of the gateway's parsers, except
// for the tests' own content model. A conversation is read up to STARTTLS, or up to the first octets that cannot be
// understood.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/session/tap.h"

namespace sallyport::session {

struct SaidReply {
  int code = 0;
  std::string enhanced;  // enhanced status code of the last line, or empty
  std::string text;      // all lines, as on the wire
  std::size_t end = 0;   // offset behind it

  bool is_positive() const { return code >= 200 && code < 300; }
  bool is_intermediate() const { return code >= 300 && code < 400; }
};

// The well-formed replies at the beginning; `left_over` is the rest, which is not a reply.
struct SaidReplies {
  std::vector<SaidReply> replies;
  std::string_view left_over;
};
SaidReplies read_replies(std::string_view octets);

// One message that was complete (ended by the final dot or BDAT LAST).
struct SaidMessage {
  std::string content;  // decoded, as the next server must receive it
  std::size_t end = 0;  // offset behind its end
  std::optional<SaidReply> answer;
  // On the upstream's side only:
  std::string mail;                // "MAIL FROM:<...> ..."
  std::vector<std::string> rcpts;  // the accepted RCPT commands, written the same way
};

struct Conversation {
  std::vector<SaidReply> replies;
  std::vector<SaidMessage> messages;
  std::size_t commands = 0;        // complete commands, and ends of messages
  std::size_t unanswered_for = 0;  // replies that neither the greeting nor a command explains
  std::size_t plain_requests = 0;  // octets in the clear from the side that sends commands
  std::size_t plain_replies = 0;   // octets in the clear from the side that replies
  bool is_secured = false;         // STARTTLS was accepted; the rest is TLS
};

// `requests` are the octets of the side that sends commands; `answers` those of the other side, beginning with the
// greeting.
Conversation read_conversation(std::string_view requests, std::string_view answers);

}  // namespace sallyport::session
