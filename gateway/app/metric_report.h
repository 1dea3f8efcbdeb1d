// All figures of the daemon, with what they mean, and why it is not ready: what /metrics and /readyz show.
//
// Names of lists, rules and upstreams are those of the configuration (threats.md A10, R15).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/app/moment.h"
#include "gateway/control/lists.h"
#include "gateway/control/metrics.h"
#include "gateway/control/upstreams.h"
#include "gateway/session/snapshot.h"

namespace sallyport::app {

// `is_stopping`: the daemon drains. Any thread may call.
control::State daemon_state(CommonParts& common, const session::Snapshot& snapshot, const Moment& moment,
                            bool is_stopping);

// What the counter of this name counts, in a sentence.
std::string about_counter(std::string_view name);

// The counters as Metrics, those of one name together.
Metrics counter_metrics(const std::vector<std::pair<std::string, std::int64_t>>& counters);
Metrics timing_metrics(const Timings& timings);
// A sentence for each upstream of which no server takes mail.
std::vector<std::string> upstreams_without_server(const control::ServerReports& servers);
Metrics server_metrics(const control::ServerReports& servers);
Metrics list_metrics(const control::ListReports& lists);

}  // namespace sallyport::app
