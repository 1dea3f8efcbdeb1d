// Figures of what a configuration names: upstreams, lists, tenants, certificates; and of the loops. For metric_report.
//
// Each name of the configuration in force has its series from the start, and nothing else has one (threats.md R15).
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/app/list_reports.h"
#include "gateway/base/histogram.h"
#include "gateway/base/metric.h"
#include "gateway/record/tenant_figures.h"
#include "gateway/session/snapshot.h"
#include "lua/engine/rule_book.h"

namespace sallyport::app {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Adds the samples of the histograms, taken together, with these labels. Prometheus wants the counts of buckets with
// those of all below them, and the last without a bound.
void append_histogram(Metric& metric, std::span<const Histogram* const> histograms, const Labels& labels);

Metrics upstream_metrics(const upstream::UpstreamGroups& upstreams);
Metrics list_time_metrics(const std::vector<ListTimes>& lists);
Metrics rule_time_metrics(const std::vector<lua::RuleBook::TimesOfRule>& rules);
Metrics tenant_metrics(const config::Settings& settings, record::TenantTable& tenants);
Metrics certificate_metrics(const std::vector<session::Listener>& listeners, WallTime now);
Metrics loop_metrics(const std::deque<LoopLag>& loops);

}  // namespace sallyport::app
