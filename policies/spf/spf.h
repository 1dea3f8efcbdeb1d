// SPF (RFC 7208): whether the domain in MAIL FROM, and the name in HELO, let this client send for them.
//
// Both identities are checked at MAIL, at the same time. A refusal is given there; a result that only adds to the score
// does so with the whole message. The result of MAIL FROM decides. Of the HELO name only a fail counts: no other result
// of it says anything about the mail (RFC 7208, 2.3).
#pragma once

#include <string>
#include <string_view>

#include "gateway/async/task.h"
#include "policies/api/entry.h"
#include "policies/spf/facts.h"
#include "policies/spf/settings.h"

namespace sallyport::policies {

extern const PolicyEntry spf_entry;

// Checks both identities of a mail that is at MAIL. Where MAIL FROM is <>, the sender is postmaster@ the HELO name (RFC
// 7208, 2.4). `hostname` is our own name, for the macros in publishers' explanations; it and `context` outlive the
// task.
Task<SpfFacts> gather_spf(const Transaction& mail, const std::string& hostname, const GatherContext& context);

// At most one verdict at MAIL or with the message, and at MAIL another one where MAIL FROM could not be checked and
// HELO decided.
void judge_spf(Stage stage, const Transaction& mail, const Facts& facts, const SpfSettings& settings, Verdicts& out);

Explained explain_spf(const Transaction& mail, const Facts& facts, const SpfSettings& settings);

// One "spf" method for each identity that was checked.
void spf_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out);
// Appends the Received-SPF field of MAIL FROM; nothing when it was not checked. `hostname` is our own name.
void spf_trace_fields(const Transaction& mail, const Facts& facts, std::string_view hostname, std::string& out);

// The address that the check of MAIL FROM was about: of <> the postmaster of the HELO name.
std::string checked_sender(const Transaction& mail, const SpfCheck& mailfrom);

}  // namespace sallyport::policies
