// DNS lists of client addresses (RFC 5782). The lists are asked at connect, all at the same time; the verdicts are
// given at RCPT and on the whole message.
//
// The scores of the lists that have the client are summed. When the sum reaches reject_at, the recipient is refused,
// except postmaster@ and abuse@; below it, each list's score counts towards policy.actions. A list that cannot be
// asked, or answers with an error, counts for nothing and is recorded as failed, never as clean (threats.md D8-D10,
// I9).
#pragma once

#include "policies/api/entry.h"
#include "policies/dnsbl/facts.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

extern const PolicyEntry dnsbl_entry;

// At rcpt: an unknown verdict for each list that could not be asked, and one reject for a listed client, in the name of
// the list with the highest score. At message: one score for each list that has the client.
void judge_dnsbl(Stage stage, const Transaction& mail, const Facts& facts, const DnsblSettings& settings,
                 Verdicts& out);

Explained explain_dnsbl(const Transaction& mail, const Facts& facts, const DnsblSettings& settings);

}  // namespace sallyport::policies
