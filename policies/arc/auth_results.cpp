#include <string>
#include <utility>

#include "policies/arc/arc.h"

namespace sallyport::policies {

void arc_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out) {
  const ArcFacts* found = facts.find<ArcFacts>();
  if (found == nullptr) return;
  mail::AuthMethod said;
  said.method = "arc";
  said.result = word(found->result);
  said.reason = found->reason;
  if (found->result != AuthResult::none) {
    if (!found->sets.empty()) said.comment = "i=" + std::to_string(found->sets.size());
    said.properties.push_back({"smtp", "remote-ip", mail.client.ip.to_string()});
  }
  if (found->result == AuthResult::pass)
    said.properties.push_back({"header", "oldest-pass", std::to_string(found->oldest_pass)});
  out.methods.push_back(std::move(said));
}

}  // namespace sallyport::policies
