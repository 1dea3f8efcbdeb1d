// One SMTP command line, taken apart (RFC 5321, 4.1). Arguments of MAIL, RCPT and the like are left to path.h and
// parameters.h: they depend on what the session was offered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/smtp/octets.h"

namespace sallyport::smtp {

enum class Verb : std::uint8_t {
  helo,
  ehlo,
  starttls,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  auth,
  etrn,
  turn,
  send,
  xclient,
  xforward,
  unknown,
};

std::string_view name(Verb verb);  // "MAIL"

struct Command {
  Verb verb = Verb::unknown;
  // Into the line; for MAIL and RCPT what follows FROM: or TO:. Trailing white space is gone.
  std::string_view arguments;
  // MAIL without FROM:, RCPT without TO:, a verb glued to something else, an argument where none is taken (DATA, RSET,
  // QUIT, STARTTLS): the verb is known, its form is not (501 5.5.4).
  bool is_malformed = false;
};

// `line` is without its CRLF. Lines with NUL, bare CR or LF are not for here: see server_parser.h. 8-bit octets outside
// a path are the caller's to refuse (S11): ask has_8bit() of the line, for MAIL and RCPT of what parse_path() leaves.
Command parse_command(std::string_view line);

enum class GreetingError : std::uint8_t {
  missing,    // 501 5.5.4
  malformed,  // 501 5.5.2: control or 8-bit octets, over 255 octets
};
// The name in the argument of HELO or EHLO: its first word (S36). Whether it is a domain is policy.
Result<std::string_view, GreetingError> parse_greeting(std::string_view arguments);

// The first word of another protocol: HTTP and PROXY verbs, "SSH-", "Word:" (S17, S35).
bool is_other_protocol(std::string_view line);
// The first octets of a TLS record: a ClientHello where plain SMTP was expected (S17). Three octets decide; they come
// before the first that ServerParser would call bad.
bool is_tls_record(std::string_view octets);

struct Bdat {
  std::uint64_t octets = 0;
  bool last = false;
};
enum class BdatError : std::uint8_t { syntax };
// The argument of BDAT: 1 to 20 digits, under 2^63, then nothing or LAST (S30).
Result<Bdat, BdatError> parse_bdat(std::string_view arguments);

}  // namespace sallyport::smtp
