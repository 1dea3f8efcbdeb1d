// XCLIENT and XFORWARD: what one mail system says to the next about the client it speaks for (Postfix, XCLIENT_README
// and XFORWARD_README).
//
// Both ways: parse_xclient() reads what a trusted peer says to us, as strictly as if a stranger had typed it
// (threats.md S35); the writers give the commands for a server behind us. Values travel as xtext, so nothing that a
// client has said can end a word or a line of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/result.h"

namespace sallyport::smtp {

// LOGIN, DESTADDR and DESTPORT belong to XCLIENT alone, IDENT and SOURCE to XFORWARD alone.
enum class ClientAttribute : std::uint8_t {
  name,
  addr,
  port,
  proto,
  helo,
  login,
  destaddr,
  destport,
  ident,
  source,
};

class AttributeSet {
 public:
  constexpr AttributeSet() = default;
  constexpr AttributeSet(std::initializer_list<ClientAttribute> attributes) {
    for (const ClientAttribute attribute : attributes) add(attribute);
  }
  constexpr void add(ClientAttribute attribute) { bits_ = static_cast<std::uint16_t>(bits_ | bit(attribute)); }
  constexpr bool has(ClientAttribute attribute) const { return (bits_ & bit(attribute)) != 0; }
  constexpr bool is_empty() const { return bits_ == 0; }
  friend bool operator==(AttributeSet, AttributeSet) = default;

 private:
  static constexpr unsigned bit(ClientAttribute attribute) { return 1U << static_cast<unsigned>(attribute); }
  std::uint16_t bits_ = 0;
};

// What parse_xclient() understands, and so what an EHLO reply of ours may list.
inline constexpr AttributeSet xclient_attributes = {
    ClientAttribute::name, ClientAttribute::addr,  ClientAttribute::port,     ClientAttribute::proto,
    ClientAttribute::helo, ClientAttribute::login, ClientAttribute::destaddr, ClientAttribute::destport};

// The words behind the keyword XCLIENT or XFORWARD of an EHLO reply: "NAME ADDR PORT".
std::string to_attribute_names(AttributeSet attributes);
// Unknown names are ignored.
AttributeSet read_attribute_names(std::string_view words);

// What is said of one attribute: a value, [UNAVAILABLE], or [TEMPUNAVAIL]: perhaps it can be found out later.
enum class Availability : std::uint8_t { known, unavailable, temporarily_unavailable };
template <class T>
struct Said {
  T value{};
  Availability availability = Availability::known;

  Said(T known_value) : value(std::move(known_value)) {}  // implicit: `said.port = 25;`
  Said(Availability why) : availability(why) {}           // and `said.name = Availability::unavailable;`
  bool is_known() const { return availability == Availability::known; }
  friend bool operator==(const Said&, const Said&) = default;
};

// Nothing: the attribute is not mentioned, and what was said of it before holds.
struct ClientAttributes {
  std::optional<Said<std::string>> name;  // the client's host name, as DNS has it
  std::optional<Said<IpAddress>> addr;    // never [TEMPUNAVAIL], nor are those below
  std::optional<Said<std::uint16_t>> port;
  std::optional<bool> extended;  // PROTO: true for ESMTP, false for SMTP
  std::optional<Said<std::string>> helo;
  std::optional<Said<std::string>> login;    // the name under which the client has authenticated itself
  std::optional<Said<IpAddress>> dest_addr;  // the address and port that the client connected to
  std::optional<Said<std::uint16_t>> dest_port;
  std::optional<std::string> ident;  // our name of the mail

  friend bool operator==(const ClientAttributes&, const ClientAttributes&) = default;
};

enum class XclientError : std::uint8_t {
  missing,    // no attribute at all
  unknown,    // an attribute that is not in xclient_attributes, or a word without "="
  repeated,   // an attribute twice in one command
  bad_value,  // not xtext, or not what the attribute takes
};
// The arguments of an XCLIENT command. Valid values: NAME a host name; ADDR and DESTADDR an IPv4 address, or IPV6: and
// an IPv6 address; PORT and DESTPORT 0 to 65535; PROTO SMTP or ESMTP; HELO what the HELO command takes; LOGIN at most
// 255 printable octets.
Result<ClientAttributes, XclientError> parse_xclient(std::string_view arguments);

// The commands, each with its CRLF and of at most 512 octets, that say to a server what is known of the client: of the
// attributes that it lists only. Of those, what `said` does not mention is [UNAVAILABLE]: the server must not go on
// with its own idea of us, or with what it was told of another client. Nothing when it lists neither NAME nor ADDR.
//
// XCLIENT has ADDR in the last command, as the server takes no XCLIENT from most clients that it is told of.
std::vector<std::string> xclient_commands(const ClientAttributes& said, AttributeSet listed);
std::vector<std::string> xforward_commands(const ClientAttributes& said, AttributeSet listed);

}  // namespace sallyport::smtp
