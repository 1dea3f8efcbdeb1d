// Checks the name that a client gives in HELO or EHLO. A client is refused only when it uses our own name; other
// findings give a score (threats.md S36; RFC 5321, 4.1.4: a name that does not fit the address is no reason for
// refusal).
//
// Names with a syntax error never get here: the session has refused them with 501.
#pragma once

#include <string_view>

#include "policies/api/entry.h"
#include "policies/helo/facts.h"
#include "policies/helo/settings.h"

namespace sallyport::policies {

extern const PolicyEntry helo_entry;

// Examines the name `helo` of the client at `client`. A client on this machine (loopback) may use our name or
// localhost. Our names are the host name and the domains that are served here by their own name; "*.example.com" stands
// for other hosts, which may send mail from outside.
HeloFinding examine_helo(std::string_view helo, const IpAddress& client, const OwnNames& own);

// At mail: a reject when the name is our own. At message: a score for every other finding.
void judge_helo(Stage stage, const Transaction& mail, const Facts& facts, const HeloSettings& settings, Verdicts& out);

Explained explain_helo(const Transaction& mail, const Facts& facts, const HeloSettings& settings);

}  // namespace sallyport::policies
