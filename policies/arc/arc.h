// ARC: what earlier handlers of a mail found, and whether their word can be relied on (RFC 8617).
//
// A broken chain says no more than none, so nothing is refused for it here. A trusted sealer's DMARC result is a fact
// that the DMARC policy may let override its own.
#pragma once

#include <memory>

#include "policies/api/policy.h"
#include "policies/arc/settings.h"
#include "policies/arc/validator.h"

namespace sallyport::policies {

class ArcPolicy final : public Policy {
 public:
  explicit ArcPolicy(const ArcSettings& settings)
      : settings_(settings), validator_(std::make_unique<ArcValidator>(settings)) {}

  std::string_view name() const override { return "arc"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  bool judges_at(Stage stage) const override { return stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;
  std::unique_ptr<BodyObserver> observe_body(const Transaction& mail) const override;

 private:
  ArcSettings settings_;
  // What it learns of keys is no part of any mail's facts.
  std::unique_ptr<ArcValidator> validator_;
};

// The verdict from the facts alone.
Verdict judge_arc(const ArcFacts& facts, const ArcSettings& settings);

}  // namespace sallyport::policies
