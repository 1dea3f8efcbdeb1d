// Plan: the settings that judge one tenant's mail. Plans: the plans of all tenants, and the one that applies before the
// tenant is known. Part of a configuration snapshot: immutable, shared by all workers.
//
// A connection has no tenant before its first recipient. Stages connect and helo, and the DNS lists asked meanwhile,
// use the `connection` plan: the settings without any tenant's overrides or, when there is only one tenant, that
// tenant's. A check that some tenant overrides gives no verdict at MAIL, because the tenant is known only at RCPT; nor
// does one that reads at MAIL what such a check finds out. Then the tenant's settings gather what is missing, and judge
// the earlier stages as well (contract.md, section 3: the most specific value counts).
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/async/fair_order.h"
#include "gateway/base/result.h"
#include "gateway/settings/section.h"
#include "policies/api/actions.h"
#include "policies/api/entry.h"

namespace sallyport::checks {

struct Plan {
  std::string tenant;  // empty in the connection's plan
  // At whose expense its mail is served, where several tenants share a worker's loop and places at servers: the same in
  // all workers and configurations. 0: it is the only one.
  async::Payer payer = 0;
  std::string upstream;  // name of the upstream that the tenant's mail goes to
  // The upstreams that verdicts may send its mail to instead: its own, and those that are no other tenant's.
  std::vector<std::string> redirects;
  settings::Set policy;  // with the tenant's overrides

  struct Check {
    const policies::PolicyEntry* entry;
    const void* settings;  // points into `policy`
    policies::Mode mode;   // enforce or shadow
    bool is_overridden;    // differs from the settings of the connection's plan
  };
  std::vector<Check> checks;  // in the order of their judges, without those that are off
  policies::ActionSettings actions;

  bool may_go_to(std::string_view name) const {
    return std::find(redirects.begin(), redirects.end(), name) != redirects.end() || name == upstream;
  }
};

struct Plans {
  Plan connection;
  std::map<std::string, std::unique_ptr<const Plan>> tenants;  // by name
  // Entries that at least one tenant overrides.
  std::vector<const policies::PolicyEntry*> overridden;
  // Entries that no tenant overrides, but which read at MAIL what one of `overridden` finds out.
  std::vector<const policies::PolicyEntry*> waiting;
  // The clients that no limit holds for, by the settings that apply before the tenant is known.
  std::vector<IpNetwork> unlimited;
  std::unordered_map<std::string, const Plan*> by_domain;   // exact names, A-labels, lower case
  std::unordered_map<std::string, const Plan*> by_pattern;  // "example.com" of "*.example.com"

  // The plan of the tenant that serves the domain (lower case; in Unicode it is the same as its A-labels, threats.md
  // S42): the tenant that lists it, else the one with
  // the longest matching pattern. An empty domain, as in <postmaster>, gives the default tenant, else the first. Null:
  // no tenant serves the domain.
  const Plan* serving(std::string_view domain) const;
  // True for what says nothing at MAIL, because it is the tenant's to say.
  bool waits_for_tenant(const policies::PolicyEntry& entry) const;
};

// One tenant of the configuration.
struct TenantPolicy {
  std::string name;
  std::vector<std::string> domains;  // "example.com", "*.example.com"
  std::string upstream;
  const settings::Set* policy;  // shares the structs it does not override with the common set
};

// `entries` must live as long as the program; their order is the order of the judges. `upstreams` are the names of all
// upstreams.
std::shared_ptr<const Plans> make_plans(const settings::Set& common, std::span<const TenantPolicy> tenants,
                                        std::span<const policies::PolicyEntry* const> entries,
                                        std::span<const std::string> upstreams = {});

// One check, with the gatherer that a worker has for it.
struct Active {
  const Plan::Check* check;
  const policies::Gatherer* gatherer;  // null: the check has no gathering
};

// The plans with one worker's gatherers for them. prepare() runs off the loops; the result is used on one loop's
// thread.
class WorkerPlans {
 public:
  // Plans with equal settings of a check share a gatherer. May read files. The error says what cannot be prepared, and
  // for which tenant.
  static Result<std::shared_ptr<const WorkerPlans>> prepare(std::shared_ptr<const Plans> plans,
                                                            const policies::GathererParts& parts);

  const Plans& plans() const { return *plans_; }
  // `plan` must be one of plans().
  const std::vector<Active>& active(const Plan& plan) const;
  // All gatherers, for their self-tests.
  const std::vector<std::unique_ptr<policies::Gatherer>>& gatherers() const { return gatherers_; }

 private:
  std::shared_ptr<const Plans> plans_;
  std::vector<std::unique_ptr<policies::Gatherer>> gatherers_;
  std::unordered_map<const Plan*, std::vector<Active>> active_;
};

}  // namespace sallyport::checks
