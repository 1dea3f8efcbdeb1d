// ARC (RFC 8617): what earlier handlers of a mail found, and whether their word can be relied on.
//
// Nothing is refused for a broken chain, which says no more than none. What a trusted sealer says of DMARC is a fact
// that the DMARC policy may let override its own result. Mail that we change is sealed where a key is configured.
#pragma once

#include "policies/api/entry.h"
#include "policies/arc/facts.h"
#include "policies/arc/settings.h"

namespace sallyport::policies {

extern const PolicyEntry arc_entry;

// With the whole message: a score where the chain is broken.
void judge_arc(Stage stage, const Transaction& mail, const Facts& facts, const ArcSettings& settings, Verdicts& out);

Explained explain_arc(const Transaction& mail, const Facts& facts, const ArcSettings& settings);

// The method "arc" (RFC 8617, 10.2).
void arc_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out);

}  // namespace sallyport::policies
