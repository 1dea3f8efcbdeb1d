#include <string>
#include <utility>

#include "policies/dmarc/dmarc.h"

namespace sallyport::policies {

void dmarc_auth_results(const Transaction&, const Facts& facts, mail::AuthResults& out) {
  const DmarcFacts* found = facts.find<DmarcFacts>();
  if (found == nullptr) return;
  // In the comment as it was published, as a property after t=y (RFC 9989, 9.1).
  const std::string policy(word(found->policy));
  const bool has_policy = found->published != DmarcTag::none;
  mail::AuthMethod said;
  said.method = "dmarc";
  said.result = word(found->result);
  said.reason = found->problem;
  if (has_policy) {
    said.comment = std::string(word(found->published)) + "=" + policy;
    if (found->override_reason != DmarcOverride::none) said.comment.append(", ").append(word(found->override_reason));
  }
  if (!found->from_domain.empty()) said.properties.push_back({"header", "from", found->from_domain});
  if (has_policy) said.properties.push_back({"policy", "dmarc", std::string(word(found->asked_for))});
  out.methods.push_back(std::move(said));
}

}  // namespace sallyport::policies
