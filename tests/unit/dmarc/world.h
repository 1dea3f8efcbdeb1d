// evaluate_dmarc() over a table of records.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policies/dmarc/evaluate.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {

struct DmarcWorld : PolicyWorld {
  DmarcFacts evaluate(const std::string& author, std::vector<AuthIdentifier> identifiers = {},
                      OrganizationalDomainBy method = OrganizationalDomainBy::tree_walk) {
    const GatherContext now = context();
    return loop.run_until_done(evaluate_dmarc(author, std::move(identifiers), method, suffixes, now));
  }
};

inline AuthIdentifier spf(std::string domain, AuthResult result = AuthResult::pass) {
  return {AuthIdentifier::Method::spf_mailfrom, result, std::move(domain), {}, 0};
}
inline AuthIdentifier dkim(std::string domain, AuthResult result = AuthResult::pass) {
  return {AuthIdentifier::Method::dkim, result, std::move(domain), {}, 0};
}

}  // namespace sallyport::policies
