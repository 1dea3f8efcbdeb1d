// Rate limits: how much one client, sender domain or recipient may send in a time (threats.md R5).
//
// Counted where it happens: connections at connect (421 4.7.1, and the connection ends), mails at MAIL, recipients at
// RCPT (451 4.7.1). Never a 5xx: whoever is early may come again. What is refused takes nothing from the allowance.
//
// A client is its IPv4 address or its IPv6 /64: an IPv6 client has a whole /64 to choose addresses from. Mail from <>
// has no sender domain: its recipients count by the client, so that one host's bounces do not use up another's
// allowance.
#pragma once

#include <optional>
#include <string>

#include "gateway/io/rate_store.h"
#include "policies/api/policy.h"
#include "policies/rate/settings.h"

namespace sallyport::policies {

class RatePolicy final : public Policy {
 public:
  // `store` outlives the policy.
  RatePolicy(RateSettings settings, io::RateStore& store) : settings_(settings), store_(store) {}

  std::string_view name() const override { return "rate"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override;
  bool judges_at(Stage stage) const override { return gathers_at(stage); }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

 private:
  // Takes one of each rate that applies, up to the first that is used up; gives the last one asked, the one that
  // decided.
  Task<std::optional<RateFact>> take(Stage stage, const Transaction& mail) const;

  RateSettings settings_;
  io::RateStore& store_;
};

// The verdict from the facts alone.
Verdict judge_rate(Stage stage, const RateFacts& facts);

}  // namespace sallyport::policies
