// The client's reverse name, forward-confirmed: FCrDNS, the "iprev" of RFC 8601, 2.7.3.
//
// Asked at connect, while the dialogue goes on. A client that has no name, or only names that do not lead back to it,
// counts `score` with its mail; many honest ones are so, and nothing is refused for that alone. What could not be found
// out counts for nothing.
#pragma once

#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/rdns/settings.h"

namespace sallyport::policies {

class RdnsPolicy final : public Policy {
 public:
  explicit RdnsPolicy(RdnsSettings settings) : settings_(settings) {}

  std::string_view name() const override { return "rdns"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::connect; }
  bool judges_at(Stage stage) const override { return stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

 private:
  RdnsSettings settings_;
};

// Asks for the first 10 PTR records, then for the addresses of those that are host names until one leads back
// (threats.md D11). At most 5 seconds in all. `around` outlives the task.
Task<RdnsFacts> gather_rdns(IpAddress client, const Surroundings& around);

// The verdict from the facts alone.
Verdict judge_rdns(const RdnsFacts& facts, const RdnsSettings& settings);

}  // namespace sallyport::policies
