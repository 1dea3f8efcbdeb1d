#include "policies/rdns/facts.h"

namespace sallyport::policies {

namespace {

void tell_rdns(const void* facts, Findings& findings) {
  const auto& rdns = *static_cast<const RdnsFacts*>(facts);
  if (rdns.result == AuthResult::pass) findings.client_name = rdns.name;
  findings.is_client_nameless = rdns.result == AuthResult::fail || rdns.result == AuthResult::permerror;
  findings.add(rdns.evidence);
}

}  // namespace

constinit const FactsType rdns_facts = facts_type<RdnsFacts>("rdns", tell_rdns);

}  // namespace sallyport::policies
