#include "policies/dkim/facts.h"

namespace sallyport::policies {

namespace {

void tell(const void* from, Findings& findings) {
  const DkimFacts& facts = *static_cast<const DkimFacts*>(from);
  findings.words.emplace_back("dkim", word(overall(facts)));
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (is_discounted(signature)) continue;
    findings.identifiers.push_back(
        {AuthIdentifier::Method::dkim, signature.result, signature.domain, signature.selector, 0});
  }
  findings.add(facts.evidence);
}

}  // namespace

AuthResult overall(const DkimFacts& facts) {
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (signature.result == AuthResult::pass) return AuthResult::pass;
  }
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (!is_discounted(signature)) return signature.result;
  }
  return AuthResult::none;
}

bool is_discounted(const DkimFacts::Signature& signature) {
  return signature.testing && signature.result != AuthResult::pass;
}

constinit const FactsType dkim_facts = facts_type<DkimFacts>("dkim", tell);

}  // namespace sallyport::policies
