#include "policies/arc/facts.h"

namespace sallyport::policies {

namespace {

void tell(const void* from, Findings& findings) {
  const ArcFacts& facts = *static_cast<const ArcFacts*>(from);
  findings.words.emplace_back("arc", word(facts.result));
  if (facts.result == AuthResult::pass && facts.trusted_instance != 0) {
    findings.identifiers.push_back(
        {AuthIdentifier::Method::arc, facts.trusted_dmarc, facts.trusted_sealer, {}, facts.trusted_instance});
  }
  findings.add(facts.evidence);
}

}  // namespace

constinit const FactsType arc_facts = facts_type<ArcFacts>("arc", tell);

}  // namespace sallyport::policies
