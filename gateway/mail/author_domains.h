// AuthorDomains: the domains of a mail's From field (RFC 5322, 3.6.2), as DMARC has to judge them.
//
// Mail readers differ in how they read a malformed From field, and an attacker can use that: one domain is checked,
// another is shown. So author_domains() gives every domain that some reader could take for the author's, from every
// field that some reader could take for From. The caller treats several domains as several authors.
//
// A mailbox with an address in angle brackets has that address and no other (threats.md D21): people write an @ into
// the phrase before it, and old programs write a route inside. What the phrase shows of other domains is told apart, as
// it may deceive the reader. Where a reader could see it otherwise, the phrase counts too: when the brackets hold no
// domain, when quotes or comments are left open, when a pair stands outside quotes, and when an encoded word hides an
// address in brackets.
//
// Runs in time linear in the length of the field.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/mail/header.h"

namespace sallyport::mail {

inline constexpr std::size_t max_author_domains = 16;

struct AuthorDomains {
  std::size_t fields = 0;           // From fields, including those with a malformed name
  bool has_malformed_name = false;  // some readers take one of them for a From field, others ignore it
  // A-labels, lower case, each once, in order of appearance; at most max_author_domains. Empty for authors without a
  // domain: a bare word, an address literal, an empty group.
  std::vector<std::string> domains;
  bool has_malformed_domain = false;  // an address has a domain that cannot be one: "ann@exa..mple"
  // What stands behind an @ in phrases, and is none of `domains`: in the same form, at most max_author_domains.
  std::vector<std::string> shown;
};

AuthorDomains author_domains(const HeaderSection& header);

}  // namespace sallyport::mail
