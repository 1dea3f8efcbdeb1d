// Content: what a mail consists of, under every plausible reading of it (threats.md M1-M10, M14), and whether all of it
// could be read.
//
// The parts are found while the body comes in; other readings of it are taken up at its end, from the stored message.
// Rules and lists read the parts from what facts tell (Findings::parts).
#pragma once

#include "policies/api/entry.h"
#include "policies/content/facts.h"
#include "policies/content/settings.h"

namespace sallyport::policies {

extern const PolicyEntry content_entry;

// With the whole message: one verdict for each kind of problem, named as the rule.
void judge_content(Stage stage, const Transaction& mail, const Facts& facts, const ContentSettings& settings,
                   Verdicts& out);

Explained explain_content(const Transaction& mail, const Facts& facts, const ContentSettings& settings);

}  // namespace sallyport::policies
