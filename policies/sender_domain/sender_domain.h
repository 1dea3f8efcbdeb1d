// Checks whether the domain of MAIL FROM can receive replies: it has an MX or an address, and does not declare by a
// null MX that it accepts no mail (RFC 5321, 5.1; RFC 7505). A domain that cannot adds `score`: no honest sender uses
// one, because it could not be told that its mail was not delivered.
//
// Asked at MAIL, for at most five seconds. When the DNS gives no answer, nothing is added.
#pragma once

#include "policies/api/entry.h"
#include "policies/sender_domain/facts.h"
#include "policies/sender_domain/settings.h"

namespace sallyport::policies {

extern const PolicyEntry sender_domain_entry;

// At message: a score for a domain that cannot receive replies.
void judge_sender_domain(Stage stage, const Transaction& mail, const Facts& facts, const SenderDomainSettings& settings,
                         Verdicts& out);

Explained explain_sender_domain(const Transaction& mail, const Facts& facts, const SenderDomainSettings& settings);

}  // namespace sallyport::policies
