// DMARC's own question (RFC 9989, 5.3): does an identifier that SPF or DKIM has proven belong to the author's domain,
// and what does that domain ask for where none does?
#pragma once

#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/public_suffix.h"
#include "policies/api/auth_result.h"
#include "policies/api/gathering.h"
#include "policies/dmarc/facts.h"
#include "policies/dmarc/settings.h"

namespace sallyport::policies {

// Gives the facts for one author domain (A-labels, lower case). Of `identifiers` those of SPF's MAIL FROM and of DKIM
// count; where none of them is aligned, a trusted sealer's word about this author overrides the policy (RFC 8617,
// 7.2.1): that DMARC passed there, or where he says nothing of DMARC, that an aligned identifier did.
//
// Only names that can change the outcome are asked for: no walk where an identifier is the author domain itself, none
// for an identifier outside its organization. A temporary failure of an identifier counts only where the identifier
// would be aligned, or an attacker could turn every fail into a temperror with a signature of a domain that cannot be
// asked. `suffixes` and `context` outlive the task.
Task<DmarcFacts> evaluate_dmarc(std::string author_domain, std::vector<AuthIdentifier> identifiers,
                                OrganizationalDomainBy method, const PublicSuffixList& suffixes,
                                const GatherContext& context);

}  // namespace sallyport::policies
