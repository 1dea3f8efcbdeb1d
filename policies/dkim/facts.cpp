#include "policies/dkim/facts.h"

namespace sallyport::policies {

namespace {

void tell(const void* from, Findings& findings) {
  const DkimFacts& facts = *static_cast<const DkimFacts*>(from);
  findings.words.emplace_back("dkim", word(overall(facts)));
  for (const DkimFacts::Signature& signature : facts.signatures) {
    // A domain that tries its keys out must not gain or lose by it (RFC 6376, 3.6.1).
    if (signature.testing) continue;
    findings.identifiers.push_back(
        {AuthIdentifier::Method::dkim, signature.result, signature.domain, signature.selector, 0});
  }
  findings.add(facts.evidence);
}

}  // namespace

AuthResult overall(const DkimFacts& facts) {
  if (facts.signatures.empty()) return AuthResult::none;
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (signature.result == AuthResult::pass) return AuthResult::pass;
  }
  return facts.signatures.front().result;
}

constinit const FactsType dkim_facts = facts_type<DkimFacts>("dkim", tell);

}  // namespace sallyport::policies
