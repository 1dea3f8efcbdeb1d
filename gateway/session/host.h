// Host: what the sessions of one worker share. The composition root (gateway/app/worker) builds it once; every session
// of the worker has a reference to it. All of it belongs to the worker's loop, but for the log and the counters, which
// all workers share.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/base/counters.h"
#include "gateway/base/id.h"
#include "gateway/base/log.h"
#include "gateway/base/timings.h"
#include "gateway/checks/checks.h"
#include "gateway/io/clock.h"
#include "gateway/io/pressure.h"
#include "gateway/io/resolver.h"
#include "gateway/io/session_slots.h"
#include "gateway/mail/spool.h"
#include "gateway/record/record_sink.h"
#include "gateway/session/snapshot.h"
#include "gateway/upstream/pool.h"

namespace sallyport::session {

struct Host {
  async::Scheduler& scheduler;
  const io::Clock& clock;
  io::Resolver& resolver;
  Log& log;
  Counters& counters;
  mail::Spool& spool;
  io::SessionSlots& slots;
  const io::Pressure& pressure;
  upstream::UpstreamPool& pool;
  IdSource ids;
  // By this, connections and mails that begin now are served. The worker replaces it on its own loop when the
  // configuration is reloaded; sessions and mails that have begun keep the snapshot they began with.
  std::shared_ptr<const WorkerSnapshot> snapshot;
  // Each gets every record, in this order; they outlive the sessions. The log's comes first: what it cannot keep of a
  // discard, the sinks after it are not told of (threats.md I1).
  std::vector<record::RecordSink*> sinks;
  Timings* timings = nullptr;  // of all workers, where somebody wants to know them
};

// How long filters may be waited for at a stage (policies::GatherPhase::outside). What has to be done after it, handing
// the mail on, needs its time as well (I12).
inline Duration time_outside(const config::TimeoutSettings& timeouts) {
  return std::max(timeouts.policy, timeouts.final_reply - timeouts.upstream_reply);
}

// What checks of one connection are given.
inline checks::CheckServices services_of(Host& host, const config::Settings& settings) {
  const resolver::BudgetSettings dns_budget{settings.limits.dns_per_message, settings.limits.dns_per_session};
  const config::TimeoutSettings& timeouts = settings.timeouts;
  return {host.scheduler, host.resolver,   host.counters,          host.log,
          dns_budget,     timeouts.policy, time_outside(timeouts), host.timings};
}

inline bool is_in(const IpAddress& client, const std::vector<IpNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&client](const IpNetwork& network) { return network.contains(client); });
}

// A client that limits.sessions_per_ip does not hold for, by the settings that apply before the tenant is known.
inline bool is_unlimited(const policies::Client& client, const checks::Plans& plans) {
  return client.is_trusted || is_in(client.ip, plans.unlimited);
}

}  // namespace sallyport::session
