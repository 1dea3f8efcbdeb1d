// SPF: whether the domain in MAIL FROM, and the name in HELO, let this client send for them (RFC 7208).
//
// Both identities are checked at MAIL, at once. A refusal is given there; what only counts, counts with the whole
// message. The result of the mail's sender decides; of HELO only a fail does: no other result says anything about the
// mail (RFC 7208, 2.3).
#pragma once

#include <string>

#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/spf/settings.h"

namespace sallyport::policies {

class SpfPolicy final : public Policy {
 public:
  // `hostname`: our own, for the explanations of publishers.
  SpfPolicy(SpfSettings settings, std::string hostname) : settings_(settings), hostname_(std::move(hostname)) {}

  std::string_view name() const override { return "spf"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::mail; }
  bool judges_at(Stage stage) const override { return stage == Stage::mail || stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

 private:
  SpfSettings settings_;
  std::string hostname_;
};

// Both checks of a mail that is at MAIL. Without a reverse-path the sender is postmaster@ the HELO name (RFC
// 7208, 2.4). `hostname` and `around` outlive the task.
Task<SpfFacts> gather_spf(const Transaction& mail, const std::string& hostname, const Surroundings& around);

// The verdict from the facts alone.
Verdict judge_spf(Stage stage, const Transaction& mail, const SpfFacts& facts, const SpfSettings& settings);

}  // namespace sallyport::policies
