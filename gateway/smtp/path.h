// The result is one canonical form for policies, logs and the upstream: without source route (S23), the local part
// quoted only where it must be (S24), the domain in lower case and without its final dot. The local part keeps its
// case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/mail_address.h"
#include "gateway/base/result.h"

namespace sallyport::smtp {

enum class PathKind : std::uint8_t { reverse, forward };

// 501 5.1.7 (reverse) / 5.1.3 (forward), and the reply says what is wrong; but for needs_utf8.
enum class PathError : std::uint8_t {
  syntax,
  no_domain,
  empty_label,  // two dots side by side, a dot in front, nothing but a dot
  bad_domain,   // an octet that no domain has, a label that begins or ends with a hyphen
  bad_literal,
  bad_quotes,
  too_long,         // a path over 256 octets
  domain_too_long,  // over 253 octets, 255 in DNS wire format
  label_too_long,   // over 63 octets
  needs_utf8,       // 553 5.6.7: 8-bit octets, and SMTPUTF8 was not given
  bad_utf8,         // SMTPUTF8 was given, the octets are not UTF-8
};

struct ParsedPath {
  MailAddress path;
  // view of the text after the path: empty, a space and parameters, or text without a space between
  std::string_view rest;
};

// `text` is what follows "FROM:" or "TO:". Accepted beyond the RFC, because people have such addresses and servers take
// them: a space after the colon and just inside the <>, a mailbox without <>, and dots anywhere in the local part
// (S27). A mailbox without a domain is accepted only as recipient and only for Postmaster; a null path only as
// reverse-path. `utf8`: SMTPUTF8 was given (for MAIL: asks_for_smtputf8() of the same text; for RCPT: the
// transaction's). 8-bit octets are `needs_utf8` without it and must be valid UTF-8 with it.
Result<ParsedPath, PathError> parse_path(std::string_view text, PathKind kind, bool utf8);

// Parses a domain or an address literal, as in EHLO and paths, into canonical form. Malformed literals are errors
// (S25), and so are general literals ([tag:...]), since no tag but IPv6 was ever registered. An underscore in a domain
// is accepted; one final dot marks the root and is dropped.
Result<std::string, PathError> parse_domain(std::string_view text, bool utf8);

}  // namespace sallyport::smtp
