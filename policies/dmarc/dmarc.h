// DMARC (RFC 9989): whether somebody with a right to the author's domain stands behind the mail, and what that domain
// wants done where nobody does. Gathered and judged with the whole message, after SPF, DKIM and ARC have found what
// they can; their results come from Findings::identifiers.
//
// A mail with several author domains, or without one From field, cannot be judged and is refused;
// mail/author_domains.h says what counts. To a mail whose author has no domain DMARC does not apply. Other mail is
// refused only where its author's domain asks for it, never for trouble of the DNS (threats.md D21).
#pragma once

#include "policies/api/entry.h"
#include "policies/dmarc/facts.h"
#include "policies/dmarc/settings.h"

namespace sallyport::policies {

extern const PolicyEntry dmarc_entry;

// With the whole message: a verdict on the result, and others named local_policy and from_phrase.
void judge_dmarc(Stage stage, const Transaction& mail, const Facts& facts, const DmarcSettings& settings,
                 Verdicts& out);

Explained explain_dmarc(const Transaction& mail, const Facts& facts, const DmarcSettings& settings);

// The method "dmarc" (RFC 9989, 7.1 and appendix B), with the comment in the form that most receivers write.
void dmarc_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out);

}  // namespace sallyport::policies
