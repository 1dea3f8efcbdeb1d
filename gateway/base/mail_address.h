// MailAddress: an address of the envelope, as MAIL and RCPT name it (RFC 5321, 4.1.2), in the one form that policies,
// logs and the upstream see. gateway/smtp/path.h makes it from what a client says.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/text.h"

namespace sallyport {

struct MailAddress {
  std::string local;   // without quotes and escapes; empty in the null path (and in ""@domain, which RFC 5321 allows)
  std::string domain;  // lower case; "[192.0.2.1]" or "[IPv6:...]" for a literal; empty for <> and <Postmaster>

  bool is_null() const { return local.empty() && domain.empty(); }
  bool is_literal() const { return !domain.empty() && domain.front() == '['; }
  bool is_postmaster() const;  // Postmaster, with or without domain, whatever the case
  // The address as it stands between < and >, quoted only where it must be: "ann@example.org", "\"a b\"@example.org",
  // "Postmaster", "". If the address came from smtp::parse_path(), parsing this text gives the same address.
  std::string to_string() const;
  // True if the local part contains @, % or !, by which some servers route (threats.md S23).
  bool has_routing_local() const;
  bool needs_utf8() const;  // non-ASCII anywhere

  template <class V>
  void fields(V& visit) {
    visit("local", local);
    visit("domain", domain);
  }
  friend bool operator==(const MailAddress&, const MailAddress&) = default;
};

// RFC 5321, 4.1.2 and RFC 6531, 3.3. Non-ASCII octets count; whether they are allowed is the caller's to decide.
constexpr bool is_atext(char c) {
  constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
  return text::is_alnum(c) || !text::is_ascii(c) || specials.find(c) != std::string_view::npos;
}

// A dot-string: a local part that needs no quotes.
bool is_dot_string(std::string_view local);

}  // namespace sallyport
