#include "policies/sender_domain/facts.h"

namespace sallyport::policies {

namespace {

void tell_sender_domain(const void* facts, Findings& findings) {
  const auto& domain = *static_cast<const SenderDomainFacts*>(facts);
  findings.add(domain.evidence);
}

}  // namespace

constinit const FactsType sender_domain_facts = facts_type<SenderDomainFacts>("sender_domain", tell_sender_domain);

}  // namespace sallyport::policies
