// evaluate_dmarc() over a table of records.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policies/dmarc/evaluate.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {

struct DmarcWorld : PolicyWorld {
  DmarcFacts evaluate(const std::string& author, std::vector<DmarcIdentifier> identifiers = {},
                      OrganizationalDomainBy method = OrganizationalDomainBy::tree_walk) {
    const Surroundings surroundings = around();
    return loop.run_until_done(evaluate_dmarc(author, std::move(identifiers), method, suffixes, surroundings));
  }

  PublicSuffixList suffixes;
};

inline DmarcIdentifier spf(std::string domain, AuthResult result = AuthResult::pass) {
  return {DmarcIdentifier::Method::spf, std::move(domain), result};
}
inline DmarcIdentifier dkim(std::string domain, AuthResult result = AuthResult::pass) {
  return {DmarcIdentifier::Method::dkim, std::move(domain), result};
}

}  // namespace sallyport::policies
