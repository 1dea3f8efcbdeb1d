#include "gateway/app/policy_parts.h"

#include "lua/engine/rules_policy.h"
#include "policies/policy_list.h"

namespace sallyport::app {

Result<WorkerPolicies> make_worker_policies(const config::Settings& settings, io::RateStore& rates,
                                            const PublicSuffixList& suffixes) {
  policies::PolicyParts parts{rates, suffixes, settings.hostname, {}};
  for (const auto& [name, tenant] : settings.tenants) {
    parts.domains.insert(parts.domains.end(), tenant.domains.begin(), tenant.domains.end());
  }
  WorkerPolicies list = policies::make_policies(settings.policy, parts);
  if (settings.rules.path.empty() || settings.rules.mode == policies::Mode::off) return list;

  auto rules = lua::RuleSet::load(settings.rules);
  if (!rules) {
    std::string lines = "the rules do not load:";
    for (const lua::LoadError& error : rules.error()) {
      lines += "\n" + error.file + ":" + std::to_string(error.line) + ": error: " + error.message;
    }
    return Failure{std::move(lines)};
  }
  list.push_back(std::make_unique<lua::RulesPolicy>(settings.rules, std::move(*rules)));
  return list;
}

}  // namespace sallyport::app
