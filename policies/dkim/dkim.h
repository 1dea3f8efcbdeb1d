// DKIM: which domains have signed this mail, and whether their signatures hold (RFC 6376, 8301, 8463).
//
// The body's digests are computed as it streams past; at its end all keys are asked for at once. A broken signature
// says no more than none (RFC 6376, 6.1), so nothing is refused for it here: DMARC and rules build on the facts.
#pragma once

#include <memory>

#include "policies/api/policy.h"
#include "policies/dkim/settings.h"
#include "policies/dkim/verifier.h"

namespace sallyport::policies {

class DkimPolicy final : public Policy {
 public:
  // `suffixes` outlives the policy.
  DkimPolicy(DkimSettings settings, const PublicSuffixList& suffixes)
      : settings_(settings), verifier_(std::make_unique<DkimVerifier>(settings, suffixes)) {}

  std::string_view name() const override { return "dkim"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  bool judges_at(Stage stage) const override { return stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;
  std::unique_ptr<BodyObserver> observe_body(const Transaction& mail) const override;

 private:
  DkimSettings settings_;
  // What it learns of keys is no part of any mail's facts.
  std::unique_ptr<DkimVerifier> verifier_;
};

// The verdict from the facts alone.
Verdict judge_dkim(const DkimFacts& facts, const DkimSettings& settings);

}  // namespace sallyport::policies
