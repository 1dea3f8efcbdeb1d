// What was found out of a mail's ARC chain (RFC 8617), with the evidence. Texts from strangers are validated or
// printable ASCII (threats.md D23), but for `results` of a set, which may hold any octets.
#pragma once

#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

struct ArcFacts {
  struct Set {
    unsigned instance = 0;
    std::string seal_domain;
    std::string seal_selector;
    std::string message_domain;        // of its ARC-Message-Signature
    AuthResult cv = AuthResult::none;  // what its sealer found of the chain as it got it: none, pass, fail
    // Of its ARC-Authentication-Results, read from the field itself: the first DMARC result, none where there is none
    // that can be read; the author domains for which it says dmarc=pass; and where it says nothing of DMARC, the
    // domains for which it says dkim=pass and spf=pass. A-labels, lower case.
    AuthResult dmarc = AuthResult::none;
    std::vector<std::string> dmarc_passes;
    std::vector<std::string> dkim_passes;
    std::vector<std::string> spf_passes;
    std::string results;  // for people only: the start of the field, unfolded, without i=

    template <class V>
    void fields(V& visit) {
      visit("instance", instance);
      visit("seal_domain", seal_domain);
      visit("seal_selector", seal_selector);
      visit("message_domain", message_domain);
      visit("cv", cv);
      visit("dmarc", dmarc);
      visit("dmarc_passes", dmarc_passes);
      visit("dkim_passes", dkim_passes);
      visit("spf_passes", spf_passes);
      visit("results", results);
    }
  };
  AuthResult result = AuthResult::none;  // none, pass, fail
  std::string reason;                    // of a fail
  // The oldest set whose message signature verifies, as all after it do (RFC 8617, 5.2, step 4c); 0: all of them
  // verify.
  unsigned oldest_pass = 0;
  std::vector<Set> sets;  // 1 to N where the structure is sound
  // The sets whose sealers' word may be taken (trust.h), when the chain passed: their instances, the newest first.
  std::vector<unsigned> trusted;
  const Set* find(unsigned instance) const { return instance - 1 < sets.size() ? &sets[instance - 1] : nullptr; }
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("result", result);
    visit("reason", reason);
    visit("oldest_pass", oldest_pass);
    visit("sets", sets);
    visit("trusted", trusted);
    visit("evidence", evidence);
  }
};

extern const FactsType arc_facts;
template <>
inline const FactsType& type_of<ArcFacts>() {
  return arc_facts;
}

}  // namespace sallyport::policies
