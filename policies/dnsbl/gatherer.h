// DnsblGatherer: asks and tests the lists of one set of settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/api/gathering.h"
#include "policies/dnsbl/facts.h"
#include "policies/dnsbl/list_health.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

struct DnsList {
  std::string zone;
  std::string public_name;
  std::vector<ReplyRange> reply;
  bool self_test = false;
  // The list's health is learned while asking. It belongs to no mail, survives a reload, and is shared by all tenants.
  ListHealth& health;
};

class DnsblGatherer final : public Gatherer {
 public:
  DnsblGatherer(const DnsblSettings& settings, Learned& learned);

  bool gathers_at(Stage stage) const override { return stage == Stage::connect && !lists_.empty(); }
  std::unique_ptr<Gathering> begin() const override;

  // Asks each list with self_test for its test points. 127.0.0.2 must be listed and 127.0.0.1 not; otherwise the list
  // is not asked until a later test passes. If ::FFFF:127.0.0.2 is not listed, the list is not asked about IPv6
  // clients.
  Task<void> self_test(GatherContext context) const override;

 private:
  static Task<void> test(const DnsList& list, GatherContext context);

  DnsblSettings settings_;
  std::vector<DnsList> lists_;
};

}  // namespace sallyport::policies
