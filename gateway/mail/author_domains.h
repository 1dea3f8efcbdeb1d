// Whose name a mail is written in: the domains of its From field (RFC 5322, 3.6.2), as DMARC has to judge them.
//
// Mail readers do not agree on how to read a From field that is not well formed, and an attacker lives by that: one
// domain is checked, another one shown. So this gives every domain that some reader could take for the author's: after
// each @ that stands outside a comment and a display name in quotes, in routes, in unquoted display names, in the
// addresses that encoded words hide, and of every field that some reader could take for From. One domain is an author;
// several are several authors, whoever may be meant.
//
// Linear in the field's length, whatever it holds.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/mail/header.h"

namespace sallyport::mail {

inline constexpr std::size_t max_author_domains = 16;

struct AuthorDomains {
  std::size_t fields = 0;            // From fields, those with a malformed name too
  bool has_malformed_name = false;   // one of them is a From field to some readers and nothing to others
  std::vector<std::string> domains;  // A-labels, lower case, each once, in order; past max_author_domains no more
  bool has_unusable = false;         // an address whose domain is none: a literal, bad syntax
};

AuthorDomains author_domains(const HeaderSection& header);

}  // namespace sallyport::mail
