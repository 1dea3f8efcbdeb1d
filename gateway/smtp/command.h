// Parses one SMTP command line (RFC 5321, 4.1). The arguments of MAIL and RCPT are parsed by path.h and parameters.h,
// because they depend on what EHLO offered.
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
  // A view into the line, trimmed; for MAIL and RCPT what follows FROM: or TO:.
  std::string_view arguments;
  // The verb is known but its form is wrong (501 5.5.4): MAIL without FROM:, RCPT without TO:, no space after the verb,
  // or an argument for a verb that takes none (DATA, RSET, QUIT, STARTTLS). Of BDAT, glued digits too: "BDAT6".
  bool is_malformed = false;
};

// `line` is without its CRLF and holds no NUL, bare CR or LF (ServerParser rejects such lines). The caller refuses
// 8-bit octets outside a path (S11): it applies has_8bit() to the line, or for MAIL and RCPT to what parse_path() left
// over. Those of a BDAT line are a bad count, which parse_bdat() refuses (S30).
Command parse_command(std::string_view line);

enum class GreetingError : std::uint8_t {
  missing,    // 501 5.5.4
  malformed,  // 501 5.5.2: control or 8-bit octets, over 255 octets
};
// The name in the argument of HELO or EHLO: its first word (S36). Whether it is a valid domain is decided by a policy.
Result<std::string_view, GreetingError> parse_greeting(std::string_view arguments);

// True if the line begins like another protocol: HTTP and PROXY verbs, "SSH-", "Word:" (S17, S35).
bool is_other_protocol(std::string_view line);
// True if the octets begin a TLS handshake record: the client sent a ClientHello where plain SMTP was expected (S17).
// The first three octets decide; the caller has them before ServerParser reports a bad octet.
bool is_tls_record(std::string_view octets);

struct Bdat {
  std::uint64_t octets = 0;
  bool last = false;
};
enum class BdatError : std::uint8_t { syntax };
// Parses the argument of BDAT: 1 to 20 digits, value below 2^63, then nothing or LAST (S30).
Result<Bdat, BdatError> parse_bdat(std::string_view arguments);

}  // namespace sallyport::smtp
