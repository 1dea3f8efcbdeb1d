// Lists of domains and of hashes in DNS (DBL, SURBL, URIBL, EBL, HBL): asked for the domains, mail addresses and URLs
// that stand in a mail, when its content is there.
//
// Each list that has something adds its score once for the mail. A list that cannot be asked counts for nothing and is
// recorded as failed, never as clean (threats.md D8-D10, I9). What is known of a list's health is shared with the lists
// of addresses (policies/lists).
#pragma once

#include "policies/api/entry.h"
#include "policies/url_lists/facts.h"
#include "policies/url_lists/settings.h"

namespace sallyport::policies {

extern const PolicyEntry url_lists_entry;

Result<std::unique_ptr<Gatherer>> prepare_url_lists(const void* settings, const GathererParts& parts);

// At message: one score for each list that has something, and an unknown verdict for each that could not be asked.
void judge_url_lists(Stage stage, const Transaction& mail, const Facts& facts, const UrlListsSettings& settings,
                     Verdicts& out);

Explained explain_url_lists(const Transaction& mail, const Facts& facts, const UrlListsSettings& settings);

}  // namespace sallyport::policies
