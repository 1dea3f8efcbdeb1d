#include "policies/arc/trust.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/mail/auth_results.h"

namespace sallyport::policies {

AuthResult dmarc_result_in(const std::string& results) {
  const auto parsed = mail::parse_auth_results(results);
  if (!parsed) return AuthResult::none;
  for (const mail::AuthMethod& method : parsed->methods) {
    if (method.method != "dmarc") continue;
    for (AuthResult result : {AuthResult::pass, AuthResult::fail, AuthResult::temperror, AuthResult::permerror}) {
      if (method.result == name(result)) return result;
    }
    return AuthResult::none;
  }
  return AuthResult::none;
}

void find_trusted_set(ArcFacts& facts, const std::vector<bool>& vouches,
                      const std::vector<std::string>& trusted_sealers) {
  const auto is_trusted = [&](std::size_t of) {
    return std::any_of(trusted_sealers.begin(), trusted_sealers.end(),
                       [&](const std::string& pattern) { return domain_matches(facts.sets[of].seal_domain, pattern); });
  };
  const auto take = [&](std::size_t of, AuthResult dmarc) {
    facts.trusted_instance = facts.sets[of].instance;
    facts.trusted_sealer = facts.sets[of].seal_domain;
    facts.trusted_dmarc = dmarc;
  };
  std::size_t at = facts.sets.size();
  while (at > 0 && !(vouches[at - 1] && is_trusted(at - 1))) --at;
  if (at == 0) return;
  take(at - 1, dmarc_result_in(facts.sets[at - 1].results));
  for (--at; facts.trusted_dmarc != AuthResult::pass && at > 0 && is_trusted(at - 1); --at) {
    if (dmarc_result_in(facts.sets[at - 1].results) == AuthResult::pass) take(at - 1, AuthResult::pass);
  }
}

}  // namespace sallyport::policies
