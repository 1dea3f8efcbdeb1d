// Reverse-paths and forward-paths (RFC 5321, 4.1.2; RFC 6531 for non-ASCII).
//
// Parsed into one canonical form that policies, logs and the upstream all see: no source route (dropped, S23), a quoted
// local part only where it must be quoted (S24), the domain in lower case. The local part's case is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace sallyport::smtp {

struct Path {
  std::string local;   // without quotes and escapes; empty in the null path (and in ""@domain, which RFC 5321 allows)
  std::string domain;  // lower case; "[192.0.2.1]" or "[IPv6:...]" for a literal; empty for <> and <Postmaster>

  bool is_null() const { return local.empty() && domain.empty(); }
  bool is_literal() const { return !domain.empty() && domain.front() == '['; }
  bool is_postmaster() const;  // Postmaster, with or without domain, whatever the case
  // "ann@example.org", "\"a b\"@example.org", "Postmaster", "": as it stands between < and >. What parse_path() gave
  // reads back as the same path.
  std::string to_string() const;
  // A second @, % or ! in the local part: a route in disguise (S23).
  bool has_routing_local() const;
  bool needs_utf8() const;  // non-ASCII anywhere

  friend bool operator==(const Path&, const Path&) = default;
};

enum class PathKind : std::uint8_t { reverse, forward };

enum class PathError : std::uint8_t {
  syntax,      // 501 5.1.7 (reverse) / 5.1.3 (forward)
  too_long,    // the same codes: domain over 253 octets (255 on the wire), label over 63 or empty, path over 256
  needs_utf8,  // 553 5.6.7: 8-bit octets, and SMTPUTF8 was not given
  bad_utf8,    // 501: SMTPUTF8 was given, the octets are not UTF-8
};

struct ParsedPath {
  Path path;
  std::string_view rest;  // into the text, what follows the path: nothing, a space and parameters, or glued text
};

// `text` is what follows "FROM:" or "TO:". A space after the colon and a mailbox without <> are accepted (S27), a
// mailbox without a domain only as Postmaster, and only as a recipient. A null path is a reverse-path only. `utf8` says
// that SMTPUTF8 was given: for MAIL ask asks_for_smtputf8() (parameters.h) of the same text, for RCPT the transaction.
// 8-bit octets are `needs_utf8` without it, and have to be UTF-8 with it.
Result<ParsedPath, PathError> parse_path(std::string_view text, PathKind kind, bool utf8);

// A domain or an address literal as EHLO and paths take it, in canonical form. Malformed literals are errors (S25), and
// so are general ones, [tag:...]: no tag but IPv6 was ever registered. An underscore in a domain is accepted, a final
// dot is not.
Result<std::string, PathError> parse_domain(std::string_view text, bool utf8);

}  // namespace sallyport::smtp
