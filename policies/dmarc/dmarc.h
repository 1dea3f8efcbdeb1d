// DMARC: whether somebody with a right to the author's domain stands behind the mail, and what that domain wants done
// where nobody does (RFC 9989). Judged with the whole message, after SPF, DKIM and ARC have found what they can.
//
// A mail without one author domain (no From, two of them, several domains in it) cannot be judged and is refused; see
// mail/author_domains.h for what counts. Other mail is refused only where its author's domain asks for it, never for
// trouble of the DNS (threats.md D21).
#pragma once

#include "gateway/base/public_suffix.h"
#include "policies/api/policy.h"
#include "policies/dmarc/settings.h"

namespace sallyport::policies {

class DmarcPolicy final : public Policy {
 public:
  // `suffixes` outlives the policy.
  DmarcPolicy(DmarcSettings settings, const PublicSuffixList& suffixes) : settings_(settings), suffixes_(suffixes) {}

  std::string_view name() const override { return "dmarc"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  Turn gather_turn() const override { return Turn::on_identifiers; }
  bool judges_at(Stage stage) const override { return stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

 private:
  DmarcSettings settings_;
  const PublicSuffixList& suffixes_;
};

// The verdict from the facts alone.
Verdict judge_dmarc(const DmarcFacts& facts, const DmarcSettings& settings);

}  // namespace sallyport::policies
