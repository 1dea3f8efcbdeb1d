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
    // Of its ARC-Authentication-Results: the DMARC result, none where there is none that can be read; and the start of
    // the whole field as it came, unfolded, without i=.
    AuthResult dmarc = AuthResult::none;
    std::string results;

    template <class V>
    void fields(V& visit) {
      visit("instance", instance);
      visit("seal_domain", seal_domain);
      visit("seal_selector", seal_selector);
      visit("message_domain", message_domain);
      visit("cv", cv);
      visit("dmarc", dmarc);
      visit("results", results);
    }
  };
  AuthResult result = AuthResult::none;  // none, pass, fail
  std::string reason;                    // of a fail
  // The oldest set whose message signature verifies, as all after it do (RFC 8617, 5.2, step 4c); 0: all of them
  // verify.
  unsigned oldest_pass = 0;
  std::vector<Set> sets;  // 1 to N where the structure is sound
  // The set whose sealer's word may be taken (trust.h), when the chain passed; 0: none.
  unsigned trusted_instance = 0;
  std::string trusted_sealer;
  AuthResult trusted_dmarc = AuthResult::none;  // what DMARC came to there
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("result", result);
    visit("reason", reason);
    visit("oldest_pass", oldest_pass);
    visit("sets", sets);
    visit("trusted_instance", trusted_instance);
    visit("trusted_sealer", trusted_sealer);
    visit("trusted_dmarc", trusted_dmarc);
    visit("evidence", evidence);
  }
};

extern const FactsType arc_facts;
template <>
inline const FactsType& type_of<ArcFacts>() {
  return arc_facts;
}

}  // namespace sallyport::policies
