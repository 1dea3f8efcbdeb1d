// What was found out by DKIM (RFC 6376), with the evidence. Texts from strangers are validated or printable ASCII
// (threats.md D23).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

struct DkimFacts {
  // One entry per signature that was looked at, top to bottom.
  struct Signature {
    AuthResult result = AuthResult::none;
    std::string reason;            // why it is not a pass: "body hash did not verify", "no key for signature"
    std::string domain;            // d=, A-labels, lower case
    std::string selector;          // s=
    std::string identity;          // i=, or "@" and d=
    std::string algorithm;         // "rsa-sha256"
    std::string b;                 // the first octets of b= that tell it from the others (RFC 6008)
    std::string canonicalization;  // "relaxed/simple"
    unsigned key_bits = 0;
    bool testing = false;     // t=y in the key; see is_discounted()
    std::string body_hash;    // computed, base64; empty where it was not reached
    std::string header_hash;  // the same, of the header fields
    // The first 1000 octets of what was hashed, for explain: as they are, with line ends and whatever else is in them.
    std::string header_input_start;

    template <class V>
    void fields(V& visit) {
      visit("result", result);
      visit("reason", reason);
      visit("domain", domain);
      visit("selector", selector);
      visit("identity", identity);
      visit("algorithm", algorithm);
      visit("b", b);
      visit("canonicalization", canonicalization);
      visit("key_bits", key_bits);
      visit("testing", testing);
      visit("body_hash", body_hash);
      visit("header_hash", header_hash);
      visit("header_input_start", header_input_start);
    }
  };
  std::vector<Signature> signatures;
  std::size_t fields_found = 0;  // DKIM-Signature fields in the header, looked at or not (D16)
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("fields", fields_found);
    visit("signatures", signatures);
    visit("evidence", evidence);
  }
};

// All signatures in one word: pass when one passed, else what the first one that counts came to, none without any.
AuthResult overall(const DkimFacts& facts);
// A signature that does not hold, by a key in testing: as if it were not there (RFC 6376, 3.6.1; threats.md D15).
bool is_discounted(const DkimFacts::Signature& signature);

extern const FactsType dkim_facts;
template <>
inline const FactsType& type_of<DkimFacts>() {
  return dkim_facts;
}

}  // namespace sallyport::policies
