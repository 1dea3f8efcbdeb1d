#include "policies/rdns/rdns.h"

#include <memory>
#include <string>
#include <utility>

namespace sallyport::policies {

namespace {

class RdnsGathering final : public Gathering {
 public:
  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    // The answer does not depend on settings: what was asked for all tenants holds for this one.
    if (facts.find<RdnsFacts>()) co_return;
    RdnsFacts found = co_await gather_rdns(mail.client.ip, context);
    facts.put(std::move(found));
  }
};

class RdnsGatherer final : public Gatherer {
 public:
  bool gathers_at(Stage stage) const override { return stage == Stage::connect; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<RdnsGathering>(); }
};

Result<std::unique_ptr<Gatherer>> prepare_rdns(const void*, const GathererParts&) {
  return std::unique_ptr<Gatherer>(std::make_unique<RdnsGatherer>());
}

void write_iprev(const Transaction& mail, const Facts& facts, mail::AuthResults& out) {
  const RdnsFacts* rdns = facts.find<RdnsFacts>();
  if (!rdns) return;
  mail::AuthMethod iprev;
  iprev.method = "iprev";
  iprev.result = word(rdns->result);
  iprev.comment = rdns->name;
  iprev.properties.push_back({"policy", "iprev", mail.client.ip.to_string()});
  out.methods.push_back(std::move(iprev));
}

}  // namespace

constinit const PolicyEntry rdns_entry{
    .name = "rdns",
    .settings = rdns_section,
    .mode = mode_of<RdnsSettings>,
    .facts = rdns_facts,
    .prepare = prepare_rdns,
    .judge = judge_with<RdnsSettings, judge_rdns>,
    .explain = explain_with<RdnsSettings, explain_rdns>,
    .auth_results = write_iprev,
};

}  // namespace sallyport::policies
