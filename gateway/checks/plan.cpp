#include "gateway/checks/plan.h"

#include <algorithm>
#include <functional>
#include <string>

#include "gateway/base/a_labels.h"
#include "gateway/base/text.h"
#include "gateway/checks/redirects.h"

namespace sallyport::checks {

namespace {

using Entries = std::span<const policies::PolicyEntry* const>;

void fill(Plan& plan, const settings::Set& policy, const settings::Set& common, Entries entries) {
  plan.policy = policy;
  plan.actions = plan.policy.of(policies::actions_section);
  for (const policies::PolicyEntry* entry : entries) {
    const void* settings = plan.policy.of(entry->settings);
    const policies::Mode mode = entry->mode(settings);
    if (mode == policies::Mode::off) continue;
    plan.checks.push_back({entry, settings, mode, settings != common.of(entry->settings)});
  }
}

constexpr std::string_view below = "*.";

std::vector<std::string_view> upstreams_of_others(const TenantPolicy& tenant, std::span<const TenantPolicy> tenants) {
  std::vector<std::string_view> names;
  for (const TenantPolicy& other : tenants) {
    if (other.name != tenant.name) names.push_back(other.upstream);
  }
  return names;
}

}  // namespace

const Plan* Plans::serving(std::string_view domain) const {
  if (domain.empty()) {  // <postmaster> belongs to no domain
    const auto found = tenants.find("default");
    if (found != tenants.end()) return found->second.get();
    return tenants.empty() ? nullptr : tenants.begin()->second.get();
  }
  if (!text::is_ascii(domain)) {
    const auto a_labels = to_a_labels(domain);
    return a_labels ? serving(*a_labels) : nullptr;
  }
  if (const auto found = by_domain.find(std::string(domain)); found != by_domain.end()) return found->second;
  // The pattern of the nearest parent domain is the most specific.
  for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.', dot + 1)) {
    const auto found = by_pattern.find(std::string(domain.substr(dot + 1)));
    if (found != by_pattern.end()) return found->second;
  }
  return nullptr;
}

std::shared_ptr<const Plans> make_plans(const settings::Set& common, std::span<const TenantPolicy> tenants,
                                        Entries entries, std::span<const std::string> upstreams) {
  auto plans = std::make_shared<Plans>();
  plans->connection.redirects.assign(upstreams.begin(), upstreams.end());
  // The settings of a single tenant apply from the first octet, because every mail is that tenant's.
  const settings::Set& before_tenant = tenants.size() == 1 ? *tenants.front().policy : common;
  fill(plans->connection, before_tenant, before_tenant, entries);
  for (const TenantPolicy& tenant : tenants) {
    auto plan = std::make_unique<Plan>();
    plan->tenant = tenant.name;
    if (tenants.size() > 1) plan->payer = std::hash<std::string>()(tenant.name) | 1;
    plan->upstream = tenant.upstream;
    plan->redirects = redirects_of(tenant.upstream, upstreams_of_others(tenant, tenants), upstreams);
    fill(*plan, *tenant.policy, before_tenant, entries);
    for (const std::string& domain : tenant.domains) {
      if (domain.starts_with(below))
        plans->by_pattern.emplace(domain.substr(below.size()), plan.get());
      else
        plans->by_domain.emplace(domain, plan.get());
    }
    plans->tenants.emplace(tenant.name, std::move(plan));
  }
  const auto is_overridden = [&](const policies::PolicyEntry* entry) {
    const void* settings = before_tenant.of(entry->settings);
    return std::any_of(tenants.begin(), tenants.end(),
                       [&](const TenantPolicy& tenant) { return tenant.policy->of(entry->settings) != settings; });
  };
  for (const policies::PolicyEntry* entry : entries) {
    const auto read = std::find_if(entries.begin(), entries.end(), [entry](const policies::PolicyEntry* other) {
      return other->name == entry->reads_at_mail;
    });
    if (is_overridden(entry)) {
      plans->overridden.push_back(entry);
    } else if (read != entries.end() && is_overridden(*read)) {
      plans->waiting.push_back(entry);
    }
    if (entry->unlimited == nullptr) continue;
    const std::vector<IpNetwork>& networks = entry->unlimited(before_tenant.of(entry->settings));
    plans->unlimited.insert(plans->unlimited.end(), networks.begin(), networks.end());
  }
  return plans;
}

bool Plans::waits_for_tenant(const policies::PolicyEntry& entry) const {
  return std::find(overridden.begin(), overridden.end(), &entry) != overridden.end() ||
         std::find(waiting.begin(), waiting.end(), &entry) != waiting.end();
}

Result<std::shared_ptr<const WorkerPlans>> WorkerPlans::prepare(std::shared_ptr<const Plans> plans,
                                                                const policies::GathererParts& parts) {
  auto prepared = std::make_shared<WorkerPlans>();
  std::map<const void*, const policies::Gatherer*> by_settings;
  const auto add = [&](const Plan& plan) -> Result<Done> {
    std::vector<Active>& active = prepared->active_[&plan];
    for (const Plan::Check& check : plan.checks) {
      const policies::Gatherer* gatherer = nullptr;
      const auto known = by_settings.find(check.settings);
      if (known != by_settings.end()) {
        gatherer = known->second;
      } else if (check.entry->prepare != nullptr) {
        policies::GathererParts own_parts = parts;
        if (check.is_overridden) own_parts.tenant = plan.tenant;
        if (!plan.redirects.empty()) own_parts.upstreams = &plan.redirects;
        auto made = check.entry->prepare(check.settings, own_parts);
        if (!made) {
          std::string where = plan.tenant.empty() ? std::string() : "tenant " + plan.tenant + ": ";
          return Failure{where + made.error().message};
        }
        gatherer = made->get();
        prepared->gatherers_.push_back(std::move(*made));
        by_settings.emplace(check.settings, gatherer);
      }
      active.push_back({&check, gatherer});
    }
    return Done{};
  };
  if (auto added = add(plans->connection); !added) return std::move(added).error();
  for (const auto& [name, plan] : plans->tenants) {
    if (auto added = add(*plan); !added) return std::move(added).error();
  }
  prepared->plans_ = std::move(plans);
  return std::shared_ptr<const WorkerPlans>(std::move(prepared));
}

const std::vector<Active>& WorkerPlans::active(const Plan& plan) const {
  const auto found = active_.find(&plan);
  ensure(found != active_.end(), "checks: a plan of another snapshot");
  return found->second;
}

}  // namespace sallyport::checks
