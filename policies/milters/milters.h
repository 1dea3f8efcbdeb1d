// Milters: filters that speak the milter protocol, asked about connections, mails and recipients as an MTA asks them
// (contract.md, policy.milters).
//
// They hear a mail in their order, after all other checks of its stage. Each sees what those before it have changed.
// What they want to have changed is part of their verdicts, which come to effect all at once or not at all (threats.md
// F4). The engine is gateway/milter.
#pragma once

#include "policies/api/entry.h"
#include "policies/milters/facts.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

extern const PolicyEntry milters_entry;

// One verdict for each milter that has something to say at the stage, named as the rule.
void judge_milters(Stage stage, const Transaction& mail, const Facts& facts, const MiltersSettings& settings,
                   Verdicts& out);

Explained explain_milters(const Transaction& mail, const Facts& facts, const MiltersSettings& settings);

}  // namespace sallyport::policies
