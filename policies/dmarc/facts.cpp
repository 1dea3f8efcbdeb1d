#include "policies/dmarc/facts.h"

namespace sallyport::policies {

namespace {

void tell(const void* from, Findings& findings) {
  const DmarcFacts& facts = *static_cast<const DmarcFacts*>(from);
  findings.words.emplace_back("dmarc", word(facts.result));
  if (facts.override_reason == DmarcOverride::local_policy)
    findings.words.emplace_back(word(facts.override_reason), facts.override_comment);
  findings.add(facts.evidence);
}

}  // namespace

constinit const FactsType dmarc_facts = facts_type<DmarcFacts>("dmarc", tell);

}  // namespace sallyport::policies
