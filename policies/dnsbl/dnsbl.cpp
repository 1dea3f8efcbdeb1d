#include "policies/dnsbl/dnsbl.h"

#include <memory>

#include "policies/dnsbl/gatherer.h"

namespace sallyport::policies {

namespace {

Result<std::unique_ptr<Gatherer>> prepare_dnsbl(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(
      std::make_unique<DnsblGatherer>(*static_cast<const DnsblSettings*>(settings), parts.learned.of<ListTable>()));
}

}  // namespace

constinit const PolicyEntry dnsbl_entry{
    .name = "dnsbl",
    .settings = dnsbl_section,
    .mode = mode_of<DnsblSettings>,
    .facts = dnsbl_facts,
    .prepare = prepare_dnsbl,
    .judge = judge_with<DnsblSettings, judge_dnsbl>,
    .explain = explain_with<DnsblSettings, explain_dnsbl>,
};

}  // namespace sallyport::policies
