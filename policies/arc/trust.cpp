#include "policies/arc/trust.h"

#include <algorithm>
#include <array>
#include <optional>

#include "gateway/base/a_labels.h"
#include "gateway/base/domain_name.h"
#include "gateway/mail/auth_results.h"

namespace sallyport::policies {

namespace {

constexpr std::array<std::string_view, 1> dmarc_method{"dmarc"};
constexpr std::array<std::string_view, 2> other_methods{"dkim", "spf"};

// The domain of a property whose value is a domain, or an address; the first of the names that is there counts.
std::optional<std::string> domain_of(const mail::AuthMethod& method, std::string_view type,
                                     std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto value = method.value(type, name);
    if (value) return to_a_labels(value->substr(value->rfind('@') + 1));  // npos + 1 is 0
  }
  return std::nullopt;
}

void add_domain(std::vector<std::string>& list, std::optional<std::string> domain) {
  if (domain && std::find(list.begin(), list.end(), *domain) == list.end()) list.push_back(std::move(*domain));
}

AuthResult dmarc_result_of(const mail::AuthMethod& method) {
  const auto result = from_word<AuthResult>(method.result);
  const bool is_of_dmarc = result == AuthResult::pass || result == AuthResult::fail ||
                           result == AuthResult::temperror || result == AuthResult::permerror;
  return is_of_dmarc ? *result : AuthResult::none;
}

}  // namespace

void read_results(std::string_view results, ArcFacts::Set& set) {
  const auto of_dmarc = mail::parse_auth_results(results, dmarc_method);
  if (!of_dmarc) return;
  for (const mail::AuthMethod& method : of_dmarc->methods) {
    const AuthResult result = dmarc_result_of(method);
    if (set.dmarc == AuthResult::none) set.dmarc = result;
    if (result == AuthResult::pass) add_domain(set.dmarc_passes, domain_of(method, "header", {"from"}));
  }
  if (!of_dmarc->methods.empty()) return;
  const auto others = mail::parse_auth_results(results, other_methods);
  for (const mail::AuthMethod& method : others->methods) {
    if (method.result != "pass") continue;
    if (method.method == "dkim") {
      add_domain(set.dkim_passes, domain_of(method, "header", {"d", "i"}));
    } else {
      add_domain(set.spf_passes, domain_of(method, "smtp", {"mailfrom"}));
    }
  }
}

void find_trusted_sets(ArcFacts& facts, const std::vector<bool>& vouches,
                       const std::vector<std::string>& trusted_sealers) {
  const auto is_trusted = [&](std::size_t of) {
    return std::any_of(trusted_sealers.begin(), trusted_sealers.end(),
                       [&](const std::string& pattern) { return domain_matches(facts.sets[of].seal_domain, pattern); });
  };
  std::size_t at = facts.sets.size();
  while (at > 0 && !(vouches[at - 1] && is_trusted(at - 1))) --at;
  for (; at > 0 && is_trusted(at - 1); --at) facts.trusted.push_back(facts.sets[at - 1].instance);
}

}  // namespace sallyport::policies
