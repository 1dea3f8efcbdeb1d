#include "lua/engine/facts.h"

namespace sallyport::lua {

namespace {

void tell_rules(const void* facts, policies::Findings& findings) {
  for (const RuleLookup& lookup : static_cast<const RulesFacts*>(facts)->lookups) {
    findings.evidence.push_back(&lookup.asked);
  }
}

}  // namespace

constinit const policies::FactsType rules_facts = policies::facts_type<RulesFacts>("rules", tell_rules);

}  // namespace sallyport::lua
