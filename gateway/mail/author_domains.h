// AuthorDomains: the domains of a mail's From field (RFC 5322, 3.6.2), as DMARC has to judge them.
//
// Mail readers differ in how they read a malformed From field, and an attacker can use that: one domain is checked,
// another is shown. So author_domains() gives every domain that some reader could take for the author's: after each @
// outside a comment or a quoted display name, in routes, in unquoted display names, in addresses inside encoded words,
// and in every field that some reader could take for From. The caller treats several domains as several authors.
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
  // A-labels, lower case, each once, in order of appearance; at most max_author_domains
  std::vector<std::string> domains;
  bool has_unusable = false;  // there is an address whose domain is a literal or malformed
};

AuthorDomains author_domains(const HeaderSection& header);

}  // namespace sallyport::mail
