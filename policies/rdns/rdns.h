// Checks the client's reverse name: forward-confirmed (FCrDNS, the "iprev" of RFC 8601, 2.7.3).
//
// It is asked at connect, while the dialogue goes on. A client without a name, or with names that do not lead back to
// its address, adds `score` to its mail. Many honest clients are like that, so nothing is refused for it alone. When
// the DNS gives no answer, nothing is added.
#pragma once

#include "policies/api/entry.h"
#include "policies/rdns/facts.h"
#include "policies/rdns/settings.h"

namespace sallyport::policies {

extern const PolicyEntry rdns_entry;

// Asks for the PTR records; then, for the host names among the first 10, asks for their addresses until one leads back
// to the client (threats.md D11). Takes at most 5 seconds. `context` must outlive the task.
Task<RdnsFacts> gather_rdns(IpAddress client, const GatherContext& context);

// At message: a score for a client without a name that leads back to it.
void judge_rdns(Stage stage, const Transaction& mail, const Facts& facts, const RdnsSettings& settings, Verdicts& out);

Explained explain_rdns(const Transaction& mail, const Facts& facts, const RdnsSettings& settings);

}  // namespace sallyport::policies
