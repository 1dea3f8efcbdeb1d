// DKIM (RFC 6376, 8301, 8463): which domains have signed this mail, and whether their signatures hold.
//
// The body is hashed as it streams past; at its end all keys are asked for at the same time. Nothing is refused for a
// broken signature, which says no more than none (RFC 6376, 6.1): DMARC and rules build on the facts.
#pragma once

#include "policies/api/entry.h"
#include "policies/dkim/facts.h"
#include "policies/dkim/settings.h"

namespace sallyport::policies {

extern const PolicyEntry dkim_entry;

// With the whole message: a score where all signatures are broken, and what could not be found out where none holds.
void judge_dkim(Stage stage, const Transaction& mail, const Facts& facts, const DkimSettings& settings, Verdicts& out);

Explained explain_dkim(const Transaction& mail, const Facts& facts, const DkimSettings& settings);

// One "dkim" method for each signature that was looked at (RFC 8601, 2.7.1); "none" where there is none.
void dkim_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out);

}  // namespace sallyport::policies
