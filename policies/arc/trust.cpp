#include "policies/arc/trust.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/mail/auth_results.h"

namespace sallyport::policies {

AuthResult dmarc_result_in(std::string_view results) {
  const auto parsed = mail::parse_auth_results(results);
  if (!parsed) return AuthResult::none;
  for (const mail::AuthMethod& method : parsed->methods) {
    if (method.method != "dmarc") continue;
    const auto result = from_word<AuthResult>(method.result);
    const bool is_of_dmarc = result == AuthResult::pass || result == AuthResult::fail ||
                             result == AuthResult::temperror || result == AuthResult::permerror;
    return is_of_dmarc ? *result : AuthResult::none;
  }
  return AuthResult::none;
}

void find_trusted_set(ArcFacts& facts, const std::vector<bool>& vouches,
                      const std::vector<std::string>& trusted_sealers) {
  const auto is_trusted = [&](std::size_t of) {
    return std::any_of(trusted_sealers.begin(), trusted_sealers.end(),
                       [&](const std::string& pattern) { return domain_matches(facts.sets[of].seal_domain, pattern); });
  };
  const auto take = [&](std::size_t of) {
    facts.trusted_instance = facts.sets[of].instance;
    facts.trusted_sealer = facts.sets[of].seal_domain;
    facts.trusted_dmarc = facts.sets[of].dmarc;
  };
  std::size_t at = facts.sets.size();
  while (at > 0 && !(vouches[at - 1] && is_trusted(at - 1))) --at;
  if (at == 0) return;
  take(at - 1);
  for (--at; facts.trusted_dmarc != AuthResult::pass && at > 0 && is_trusted(at - 1); --at) {
    if (facts.sets[at - 1].dmarc == AuthResult::pass) take(at - 1);
  }
}

}  // namespace sallyport::policies
