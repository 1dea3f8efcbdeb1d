#include "policies/spf/spf.h"

#include <memory>
#include <utility>

namespace sallyport::policies {

namespace {

class SpfGathering final : public Gathering {
 public:
  explicit SpfGathering(const std::string& hostname) : hostname_(hostname) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    // No setting changes what is asked, so what was found out for everybody holds for each tenant.
    if (facts.find<SpfFacts>() != nullptr) co_return;
    SpfFacts found = co_await gather_spf(mail, hostname_, context);
    facts.put(std::move(found));
  }

 private:
  const std::string& hostname_;
};

class SpfGatherer final : public Gatherer {
 public:
  explicit SpfGatherer(const std::string& hostname) : hostname_(hostname) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::mail; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<SpfGathering>(hostname_); }

 private:
  const std::string& hostname_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void*, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(std::make_unique<SpfGatherer>(parts.own.hostname));
}

}  // namespace

constinit const PolicyEntry spf_entry{
    .name = "spf",
    .settings = spf_section,
    .mode = mode_of<SpfSettings>,
    .facts = spf_facts,
    .prepare = prepare,
    .judge = judge_with<SpfSettings, judge_spf>,
    .explain = explain_with<SpfSettings, explain_spf>,
    .auth_results = spf_auth_results,
    .trace_fields = spf_trace_fields,
};

}  // namespace sallyport::policies
