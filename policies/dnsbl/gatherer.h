// DnsblGatherer: asks and tests the lists of one set of settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/api/gathering.h"
#include "policies/dnsbl/facts.h"
#include "policies/dnsbl/list_health.h"
#include "policies/dnsbl/list_table.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

struct DnsList {
  std::string zone;
  std::string name;  // in public
  std::vector<ReplyRange> hits;
  SelfTest self_test = SelfTest::automatic;
  // The list's health is learned while asking. It belongs to no mail, survives a reload, and is shared by all tenants
  // and workers.
  ListHealth& health;
};

class DnsblGatherer final : public Gatherer {
 public:
  DnsblGatherer(const DnsblSettings& settings, ListTable& table);

  bool gathers_at(Stage stage) const override { return stage == Stage::connect && !lists_.empty(); }
  std::unique_ptr<Gathering> begin() const override;

  // Asks each list for its test points, unless its self_test is off, and tells its health what they mean for it.
  Task<void> self_test(GatherContext context) const override;

 private:
  static Task<void> test(const DnsList& list, GatherContext context);

  DnsblSettings settings_;
  std::vector<DnsList> lists_;
};

}  // namespace sallyport::policies
