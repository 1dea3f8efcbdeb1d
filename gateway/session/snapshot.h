// Snapshot: one configuration, built and ready to serve by.
//
// It is immutable. gateway/app/snapshot makes it off the loops and hands it to every worker. A connection keeps the
// snapshot of its accept, a mail that of its MAIL; nothing in a session reads a newer one (threats.md R11).
//
// What the gateway learns while it serves (a list's health, keys, servers' extensions and health, rates, pools, caches)
// is not part of it: that is kept outside, by name, and survives a reload.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/checks/plan.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/registry.h"

namespace sallyport::session {

// One of the addresses we serve. Each has a TLS context of its own, whose session tickets are not valid for the others
// (T8).
struct Listener {
  config::ListenSettings settings;
  std::shared_ptr<const tls::ServerContext> tls;  // null: no certificate, TLS is not offered
};

struct Snapshot {
  std::shared_ptr<const config::Settings> settings;
  std::string hash;                    // of the effective values; equal for equal configurations
  std::vector<Listener> listeners;     // in the order of the configuration
  upstream::UpstreamGroups upstreams;  // by name
  std::shared_ptr<const checks::Plans> plans;
};

// The snapshot, with what one worker has prepared from it for itself.
struct WorkerSnapshot {
  std::shared_ptr<const Snapshot> shared;
  std::shared_ptr<const checks::WorkerPlans> plans;
};

// The plans of a configuration: its tenants by the policies of `entries`.
std::shared_ptr<const checks::Plans> make_plans(const config::Settings& settings,
                                                std::span<const policies::PolicyEntry* const> entries);

// Our names, for the policies. The result keeps the plans: they tell which domains are served here.
policies::OwnNames own_names(std::string hostname, std::shared_ptr<const checks::Plans> plans);

}  // namespace sallyport::session
