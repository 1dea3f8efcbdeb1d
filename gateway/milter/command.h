// Commands: what an MTA tells a milter, as values. Both sides use them: the gateway as an MTA encodes, the gateway and
// the library as a milter decode. Texts are views: decoded ones into the packet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/milter/packet.h"

namespace sallyport::milter {

// What both sides say of themselves at the beginning of a connection.
struct Terms {
  std::uint32_t version = newest_version;
  std::uint32_t actions = 0;  // action::
  std::uint32_t options = 0;  // option::
  friend bool operator==(const Terms&, const Terms&) = default;
};

// Macros for the command that follows (or a later one of that letter). They take no answer. Names are one character, or
// longer ones in braces.
struct Macros {
  Verb of = Verb::connect;
  std::vector<std::pair<std::string_view, std::string_view>> values;  // name, value
};

struct Connect {
  std::string_view host;                 // the client's name, or its address in brackets
  std::optional<SocketAddress> address;  // of an IP client
  std::string_view path;                 // of a client at a unix-domain socket
};

struct Helo {
  std::string_view name;
};

// MAIL and RCPT: the path as it was given, with its angle brackets, and ESMTP parameters.
struct Mail {
  std::string_view path;
  std::vector<std::string_view> parameters;
};
struct Rcpt {
  std::string_view path;
  std::vector<std::string_view> parameters;
};

struct Data {};

// The value's lines are separated by LF; it has no blank in front unless option::leading_space was agreed on.
struct Header {
  std::string_view name;
  std::string_view value;
};
struct EndOfHeader {};
struct Body {
  std::string_view octets;
};
struct EndOfMessage {
  std::string_view octets;  // a last piece of the body, mostly empty
};
struct Unknown {
  std::string_view line;  // a command of SMTP that the MTA does not know
};
struct Abort {};
struct QuitAndReuse {};
struct Quit {};

using Command = std::variant<Terms, Macros, Connect, Helo, Mail, Rcpt, Data, Header, EndOfHeader, Body, EndOfMessage,
                             Unknown, Abort, QuitAndReuse, Quit>;

Verb verb_of(const Command& command);

// Nothing for a letter that is no command's, and for data that are not as they must be (threats.md F9).
std::optional<Command> decode_command(const Packet& packet);

// Adds the packet to `out`. NULs in texts are left out: no text of a peer ends one or begins another (threats.md F7).
void encode(std::string& out, const Command& command);
// The same of macros whose names and values stand in turn in `texts`, each with the NUL that ends it.
void encode_macros(std::string& out, Verb of, std::string_view texts);

}  // namespace sallyport::milter
