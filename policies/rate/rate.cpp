#include "policies/rate/rate.h"

#include <memory>

#include "policies/rate/gathering.h"

namespace sallyport::policies {

namespace {

class RateGatherer final : public Gatherer {
 public:
  RateGatherer(const RateSettings& settings, std::string_view owner, io::RateStore& store)
      : settings_(settings), owner_(owner), store_(store) {}

  bool gathers_at(Stage stage) const override {
    switch (stage) {
      case Stage::connect:
        return settings_.connect_per_ip.has_value();
      case Stage::mail:
        return settings_.mail_per_ip.has_value() || settings_.proven_mail_per_ip.has_value();
      case Stage::rcpt:
        return settings_.rcpt_per_ip.has_value() || settings_.rcpt_per_sender_domain.has_value() ||
               settings_.mail_per_rcpt.has_value();
      default:
        return false;
    }
  }
  bool precedes_greeting() const override { return gathers_at(Stage::connect); }
  std::unique_ptr<Gathering> begin() const override {
    return std::make_unique<RateGathering>(settings_, owner_, store_);
  }

 private:
  RateSettings settings_;
  std::string owner_;  // the tenant whose own the settings are, or nobody
  io::RateStore& store_;
};

Result<std::unique_ptr<Gatherer>> prepare_rate(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(
      std::make_unique<RateGatherer>(*static_cast<const RateSettings*>(settings), parts.tenant, parts.rates));
}

const std::vector<IpNetwork>& unlimited(const void* settings) {
  return static_cast<const RateSettings*>(settings)->skip;
}

}  // namespace

// SPF is read, so the phase after it; at MAIL that costs nothing, as a client over its rate was asked about before,
// too.
constinit const PolicyEntry rate_entry{
    .name = "rate",
    .settings = rate_section,
    .mode = mode_of<RateSettings>,
    .facts = rate_facts,
    .prepare = prepare_rate,
    .phase = GatherPhase::on_identifiers,
    .reads_at_mail = "spf",
    .unlimited = unlimited,
    .judge = judge_with<RateSettings, judge_rate>,
    .explain = explain_with<RateSettings, explain_rate>,
};

}  // namespace sallyport::policies
