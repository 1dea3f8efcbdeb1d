// What was found out by SPF (RFC 7208), with the evidence.
//
// Texts from strangers (domains, reasons with their names) are validated or printable ASCII: they may be written into a
// header, a log line or an explanation as they are (threats.md D23).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

// The check of one identity.
struct SpfCheck {
  AuthResult result = AuthResult::none;
  std::string domain;  // the one checked, A-labels, lower case
  // The term that decided, as its record has it: "-all", "ip4:192.0.2.0/24". Empty: none matched.
  std::string mechanism;
  std::string problem;        // of temperror and permerror: what was wrong, in words
  std::string explanation;    // the publisher's words on a fail, filtered (D14); never sent to the client as ours
  unsigned lookups = 0;       // terms that asked the DNS (RFC 7208, 4.6.4)
  unsigned void_lookups = 0;  // terms all of whose look-ups came back empty
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("result", result);
    visit("domain", domain);
    visit("mechanism", mechanism);
    visit("problem", problem);
    visit("explanation", explanation);
    visit("lookups", lookups);
    visit("void_lookups", void_lookups);
    visit("evidence", evidence);
  }
};

struct SpfFacts {
  using Check = SpfCheck;
  std::optional<Check> helo;      // of the HELO name; nothing when it is not a name that can be checked
  std::optional<Check> mailfrom;  // of the reverse-path; for <> postmaster@HELO (RFC 7208, 2.4)

  template <class V>
  void fields(V& visit) {
    visit("helo", helo);
    visit("mailfrom", mailfrom);
  }
};

extern const FactsType spf_facts;
template <>
inline const FactsType& type_of<SpfFacts>() {
  return spf_facts;
}

}  // namespace sallyport::policies
