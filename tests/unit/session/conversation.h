// What was said on a connection, told from its octets: commands, replies, messages; in front of the gateway and behind.
//
// Written a second time and plainly, for the invariants and the model: nothing of the gateway's readers is used but the
// model of content. A conversation is read up to STARTTLS, or to where it makes no sense any more.
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
  std::string enhanced;  // of the last line, or empty
  std::string text;      // as on the wire
  std::size_t end = 0;   // octets up to and with it

  bool is_positive() const { return code >= 200 && code < 300; }
  bool is_intermediate() const { return code >= 300 && code < 400; }
};

// As many well-formed replies as there are; `left_over` is what follows them and is none.
struct SaidReplies {
  std::vector<SaidReply> replies;
  std::string_view left_over;
};
SaidReplies read_replies(std::string_view octets);

// One message that came to its end (the lone dot, BDAT LAST).
struct SaidMessage {
  std::string content;  // decoded, as the next server has to get it
  std::size_t end = 0;  // octets up to and with its end
  std::optional<SaidReply> answer;
  // Behind the gateway only:
  std::string mail;                // "MAIL FROM:<...> ..."
  std::vector<std::string> rcpts;  // the accepted ones, the same way
};

struct Conversation {
  std::vector<SaidReply> replies;
  std::vector<SaidMessage> messages;
  std::size_t commands = 0;        // complete ones, the ends of messages counted too
  std::size_t unanswered_for = 0;  // replies beyond those to the greeting and to the commands
  std::size_t plain_requests = 0;  // octets in the clear, of who gives the commands
  std::size_t plain_replies = 0;   // and of who answers
  bool is_secured = false;         // the rest is TLS
};

// `requests` are the octets of who gives the commands, `answers` those of the other side, greeting first.
Conversation read_conversation(std::string_view requests, std::string_view answers);

}  // namespace sallyport::session
