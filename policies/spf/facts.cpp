#include "policies/spf/facts.h"

#include <algorithm>

namespace sallyport::policies {

namespace {

// Both identities are often of one domain, whose questions were asked once.
void add_new(const std::vector<dns::Evidence>& asked, Findings& findings, std::size_t from) {
  for (const dns::Evidence& one : asked) {
    const auto begin = findings.evidence.begin() + static_cast<std::ptrdiff_t>(from);
    const bool is_known = std::any_of(begin, findings.evidence.end(),
                                      [&one](const dns::Evidence* known) { return known->question == one.question; });
    if (!is_known) findings.evidence.push_back(&one);
  }
}

void tell(const void* from, Findings& findings) {
  using Method = AuthIdentifier::Method;
  const SpfFacts& facts = *static_cast<const SpfFacts*>(from);
  const std::size_t known_before = findings.evidence.size();
  if (facts.mailfrom) {
    findings.words.emplace_back("spf", word(facts.mailfrom->result));
    findings.identifiers.push_back({Method::spf_mailfrom, facts.mailfrom->result, facts.mailfrom->domain, {}, 0});
    findings.add(facts.mailfrom->evidence);
  }
  if (facts.helo) {
    findings.identifiers.push_back({Method::spf_helo, facts.helo->result, facts.helo->domain, {}, 0});
    add_new(facts.helo->evidence, findings, known_before);
  }
}

}  // namespace

constinit const FactsType spf_facts = facts_type<SpfFacts>("spf", tell);

}  // namespace sallyport::policies
