// The result is one canonical form for policies, logs and the upstream: without source route (S23), the local part
// quoted only where it must be (S24), the domain in lower case. The local part keeps its case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/mail_address.h"
#include "gateway/base/result.h"

namespace sallyport::smtp {

enum class PathKind : std::uint8_t { reverse, forward };

enum class PathError : std::uint8_t {
  syntax,  // 501 5.1.7 (reverse) / 5.1.3 (forward)
  // the same codes: domain over 253 octets (255 in DNS wire format), label over 63 octets or empty, path over 256
  too_long,
  needs_utf8,  // 553 5.6.7: 8-bit octets, and SMTPUTF8 was not given
  bad_utf8,    // 501: SMTPUTF8 was given, the octets are not UTF-8
};

struct ParsedPath {
  MailAddress path;
  // view of the text after the path: empty, a space and parameters, or text without a space between
  std::string_view rest;
};

// `text` is what follows "FROM:" or "TO:". Accepted beyond the RFC: a space after the colon and a mailbox without <>
// (S27). A mailbox without a domain is accepted only as recipient and only for Postmaster; a null path only as
// reverse-path. `utf8`: SMTPUTF8 was given (for MAIL: asks_for_smtputf8() of the same text; for RCPT: the
// transaction's). 8-bit octets are `needs_utf8` without it and must be valid UTF-8 with it.
Result<ParsedPath, PathError> parse_path(std::string_view text, PathKind kind, bool utf8);

// Parses a domain or an address literal, as in EHLO and paths, into canonical form. Malformed literals are errors
// (S25), and so are general literals ([tag:...]), since no tag but IPv6 was ever registered. An underscore in a domain
// is accepted, a final dot is not.
Result<std::string, PathError> parse_domain(std::string_view text, bool utf8);

}  // namespace sallyport::smtp
