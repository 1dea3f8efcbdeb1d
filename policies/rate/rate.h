// Rate limits: how much one client, sender domain or recipient may send in a period of time (threats.md R5).
//
// Each is counted where it happens: connections at connect (421 4.7.1, and the connection ends), mails at MAIL,
// recipients at RCPT (451 4.7.1). The reply is never a 5xx, because the client may try again later. What is refused is
// not counted against the allowance, whoever refuses it.
//
// A client is its IPv4 address, or its IPv6 /64, because an IPv6 client can choose addresses within a whole /64. A
// sender's domain has its allowance used only by mail for which SPF passes; all other mail counts for its client, so
// that nobody can use up what is another's (threats.md S40).
#pragma once

#include <optional>

#include "policies/api/entry.h"
#include "policies/rate/facts.h"
#include "policies/rate/settings.h"

namespace sallyport::policies {

extern const PolicyEntry rate_entry;

// The limit of this name in `settings`; nothing: no limit.
const std::optional<Rate>& rate_of(RateName name, const RateSettings& settings);

// One tempfail for each rate of the stage that was used up. A rate that `settings` does not limit gives no verdict.
void judge_rate(Stage stage, const Transaction& mail, const Facts& facts, const RateSettings& settings, Verdicts& out);

Explained explain_rate(const Transaction& mail, const Facts& facts, const RateSettings& settings);

}  // namespace sallyport::policies
