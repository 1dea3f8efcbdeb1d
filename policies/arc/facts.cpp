#include "policies/arc/facts.h"

namespace sallyport::policies {

namespace {

// What a trusted sealer states.
void add_claims(const ArcFacts::Set& set, Findings& findings) {
  const auto add = [&](AuthIdentifier::Method method, const std::vector<std::string>& domains) {
    for (const std::string& domain : domains)
      findings.identifiers.push_back({method, AuthResult::pass, set.seal_domain, {}, set.instance, domain});
  };
  add(AuthIdentifier::Method::arc, set.dmarc_passes);
  add(AuthIdentifier::Method::arc_dkim, set.dkim_passes);
  add(AuthIdentifier::Method::arc_spf, set.spf_passes);
}

void tell(const void* from, Findings& findings) {
  const ArcFacts& facts = *static_cast<const ArcFacts*>(from);
  findings.words.emplace_back("arc", word(facts.result));
  if (facts.result == AuthResult::pass) {
    for (const unsigned instance : facts.trusted) {
      if (const ArcFacts::Set* set = facts.find(instance)) add_claims(*set, findings);
    }
  }
  findings.add(facts.evidence);
}

}  // namespace

constinit const FactsType arc_facts = facts_type<ArcFacts>("arc", tell);

}  // namespace sallyport::policies
