// DnsblGatherer: asks and tests the lists of one set of settings.
#pragma once

#include <memory>
#include <vector>

#include "policies/api/gathering.h"
#include "policies/dnsbl/settings.h"
#include "policies/lists/dns_list.h"
#include "policies/lists/list_table.h"

namespace sallyport::policies {

class DnsblGatherer final : public Gatherer {
 public:
  DnsblGatherer(const DnsblSettings& settings, ListTable& table);

  bool gathers_at(Stage stage) const override { return stage == Stage::connect && !lists_.empty(); }
  std::unique_ptr<Gathering> begin() const override;

  // Asks each list for its test points, unless its self_test is off, and tells its health what they mean for it.
  Task<void> self_test(GatherContext context) const override;

 private:
  DnsblSettings settings_;
  std::vector<DnsList> lists_;
};

}  // namespace sallyport::policies
