#include "policies/dnsbl/facts.h"

#include <string>
#include <utility>

namespace sallyport::policies {

namespace {

void tell_dnsbl(const void* facts, Findings& findings) {
  const auto& dnsbl = *static_cast<const DnsblFacts*>(facts);
  std::string listed;
  for (const DnsblFacts::Hit& hit : dnsbl.hits) {
    if (!listed.empty()) listed += ',';
    listed += hit.list.name;
  }
  findings.words.emplace_back("dnsbl", std::move(listed));
  findings.add(dnsbl.evidence);
}

}  // namespace

constinit const FactsType dnsbl_facts = facts_type<DnsblFacts>("dnsbl", tell_dnsbl);

}  // namespace sallyport::policies
