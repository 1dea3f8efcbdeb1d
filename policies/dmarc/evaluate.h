// DMARC's own question (RFC 9989, 5.3): does an identifier that SPF or DKIM has proven belong to the author's domain,
// and what does that domain ask for where none does?
#pragma once

#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/public_suffix.h"
#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/dmarc/settings.h"

namespace sallyport::policies {

// A domain that was checked, and with what result: of SPF the sender's (at most one), of DKIM the d= of each signature.
struct DmarcIdentifier {
  enum class Method : std::uint8_t { spf, dkim };
  Method method = Method::spf;
  std::string domain;  // A-labels, lower case
  AuthResult result = AuthResult::none;
};

// What SPF and DKIM have found, as identifiers.
std::vector<DmarcIdentifier> dmarc_identifiers(const SpfFacts& spf, const DkimFacts& dkim);

// Gives the facts for one author domain (A-labels, lower case). Only names that can change the outcome are asked for:
// no walk where the identifier is the author domain itself, none for an identifier outside its organization. A
// temporary failure of an identifier counts only where it would be aligned, or an attacker could turn every fail into a
// temperror with a signature of a domain that cannot be asked. `suffixes` is used with OrganizationalDomainBy::psl
// only; it and `around` outlive the task.
Task<DmarcFacts> evaluate_dmarc(std::string author_domain, std::vector<DmarcIdentifier> identifiers,
                                OrganizationalDomainBy method, const PublicSuffixList& suffixes,
                                const Surroundings& around);

}  // namespace sallyport::policies
