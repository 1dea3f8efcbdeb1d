#include "gateway/session/snapshot.h"

#include <utility>

namespace sallyport::session {

std::shared_ptr<const checks::Plans> make_plans(const config::Settings& settings,
                                                std::span<const policies::PolicyEntry* const> entries) {
  std::vector<checks::TenantPolicy> tenants;
  for (const auto& [name, tenant] : settings.tenants) {
    tenants.push_back({name, tenant.domains, tenant.upstream, &config::policy_of(settings, tenant)});
  }
  std::vector<std::string> upstreams;
  for (const auto& [name, upstream] : settings.upstreams) upstreams.push_back(name);
  return checks::make_plans(settings.policy, tenants, entries, upstreams);
}

policies::OwnNames own_names(std::string hostname, std::shared_ptr<const checks::Plans> plans) {
  return {std::move(hostname), [plans = std::move(plans)](std::string_view domain) {
            return plans->by_domain.contains(std::string(domain));
          }};
}

}  // namespace sallyport::session
