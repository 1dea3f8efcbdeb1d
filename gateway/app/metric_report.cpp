#include "gateway/app/metric_report.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "gateway/app/list_reports.h"
#include "gateway/app/named_metrics.h"
#include "gateway/app/server_reports.h"
#include "gateway/base/version.h"
#include "gateway/state/pressure.h"

namespace sallyport::app {

namespace {

struct About {
  std::string_view name;
  std::string_view sentence;
};
constexpr std::array sentences{
    About{"sallyport_connections_total", "Connections that were accepted."},
    About{"sallyport_connections_refused_total", "Connections that were refused before any mail."},
    About{"sallyport_tls_handshakes_total", "TLS handshakes of clients that succeeded."},
    About{"sallyport_transactions_total", "Mails that were begun (MAIL was accepted)."},
    About{"sallyport_relayed_total", "Mails that the server behind took, without a mark."},
    About{"sallyport_tagged_total", "Mails that the server behind took, with a mark."},
    About{"sallyport_rejected_total", "Mails that were refused for good (5xx)."},
    About{"sallyport_tempfailed_total", "Mails that were refused for now (4xx)."},
    About{"sallyport_discarded_total", "Mails that were accepted and dropped."},
    About{"sallyport_dropped_total", "Mails whose connection was ended without a reply."},
    About{"sallyport_recipients_accepted_total", "Recipients that were accepted."},
    About{"sallyport_recipients_refused_total", "Recipients that were refused."},
    About{"sallyport_octets_received_total", "Octets of mails from clients."},
    About{"sallyport_octets_relayed_total", "Octets of mails to the servers behind."},
    About{"sallyport_upstream_connections_total", "Connections that were opened to the servers behind."},
    About{"sallyport_upstream_reused_total", "Mails that went over a kept connection."},
    About{"sallyport_upstream_reopened_total", "Kept connections that had ended, and were opened again for a mail."},
    About{"sallyport_upstreams_down_total", "Times that a server behind went down."},
    About{"sallyport_upstreams_up_total", "Times that a server behind came up."},
    About{"sallyport_upstreams_full_total", "Times that a server behind took no more connections."},
    About{"sallyport_dns_questions_total", "Questions that were asked of the DNS."},
    About{"sallyport_dns_cache_hits_total", "Questions that the cache answered."},
    About{"sallyport_violations_total", "What peers did wrong, by kind."},
    About{"sallyport_faults_total", "What failed around the gateway, by kind."},
    About{"sallyport_sessions", "Sessions that are open."},
    About{"sallyport_tls_sessions", "Sessions that are open and use TLS."},
    About{"sallyport_upstream_open", "Connections to the servers behind that are open."},
    About{"sallyport_upstream_idle", "Of these, connections that wait for a mail."},
    About{"sallyport_cert_expires_in_seconds", "Until the certificate expires; negative: since."},
    About{"sallyport_held_bytes", "Octets that messages hold in memory."},
    About{"sallyport_memory_bytes", "Memory in use by the process."},
    About{"sallyport_memory_limit_bytes", "Memory that the process may use."},
    About{"sallyport_pressure_percent", "Use of memory or of sessions, whichever is nearer to its limit."},
    About{"sallyport_rule_hits_total", "Mails that a rule in Lua hit."},
    About{"sallyport_rule_would_have_total", "Mails that a rule in shadow mode would have hit."},
    About{"sallyport_rule_failures_total", "Runs of a rule that failed."},
    About{"sallyport_rule_suspensions_total", "Times that a rule was suspended for its failures."},
};

struct TimingName {
  std::string_view name;
  std::string_view stage;  // empty: none
  std::string_view help;
};
constexpr std::string_view about_stages = "How long the checks of a stage have looked things up.";
// In the order of Timing.
constexpr std::array<TimingName, std::size_t(Timing::count_)> timing_names{{
    {"sallyport_mail_seconds", "", "From MAIL to the last reply of a mail."},
    {"sallyport_dns_question_seconds", "", "How long a question to a DNS server took."},
    {"sallyport_stage_seconds", "connect", about_stages},
    {"sallyport_stage_seconds", "helo", about_stages},
    {"sallyport_stage_seconds", "mail", about_stages},
    {"sallyport_stage_seconds", "rcpt", about_stages},
    {"sallyport_stage_seconds", "headers", about_stages},
    {"sallyport_stage_seconds", "message", about_stages},
}};
static_assert(!timing_names.back().name.empty());

MetricSample sample(double value) { return {"", {}, value}; }

Metric gauge(std::string name, std::string help, double value) {
  return {std::move(name), std::move(help), MetricType::gauge, {sample(value)}};
}

Metric empty(std::string name, std::string help, MetricType type) {
  return {std::move(name), std::move(help), type, {}};
}

bool takes_mail(const control::ServerReport& server) { return server.state == "up" || server.state == "unknown"; }

std::string configured_name(const control::ServerReport& server) {
  if (server.name.empty()) return server.address;
  const std::size_t port = server.address.rfind(':');
  return port == std::string::npos ? server.name : server.name + server.address.substr(port);
}

void append(Metrics& metrics, Metrics more) { std::move(more.begin(), more.end(), std::back_inserter(metrics)); }

// An expired certificate is served all the same, but hardly any sender that looks at it would come.
bool has_expired(const session::Snapshot& snapshot, WallTime now) {
  return std::any_of(snapshot.listeners.begin(), snapshot.listeners.end(), [&](const session::Listener& listener) {
    return listener.tls && listener.tls->expires_at() <= now;
  });
}

std::vector<std::string> reasons(const CommonParts& common, const session::Snapshot& snapshot,
                                 const control::ServerReports& servers, const Moment& moment, bool is_stopping) {
  std::vector<std::string> reasons;
  if (is_stopping) reasons.push_back("draining: no new sessions are accepted");
  for (std::string& down : upstreams_without_server(servers)) reasons.push_back(std::move(down));
  if (has_expired(snapshot, moment.wall_now)) reasons.push_back("a certificate has expired");
  const std::uint64_t memory = common.pressure.memory_percent();
  const std::uint64_t sessions = common.pressure.sessions_percent();
  if (memory >= state::Pressure::high_at)
    reasons.push_back("pressure: " + std::to_string(memory) + " % of the memory is in use");
  if (sessions >= state::Pressure::high_at)
    reasons.push_back("pressure: " + std::to_string(sessions) + " % of limits.sessions is in use");
  return reasons;
}

}  // namespace

std::string about_counter(std::string_view name) {
  const auto found = std::find_if(sentences.begin(), sentences.end(), [&](const About& a) { return a.name == name; });
  if (found != sentences.end()) return std::string(found->sentence);
  // One that has no sentence has a name that says it.
  std::string words(name.substr(std::min(name.size(), std::string_view("sallyport_").size())));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words + ".";
}

Metrics counter_metrics(const std::vector<std::pair<std::string, std::int64_t>>& counters) {
  Metrics metrics;
  std::map<std::string, std::size_t, std::less<>> places;
  for (const auto& [counter, value] : counters) {
    MetricName split = split_name(counter);
    const auto [place, is_new] = places.emplace(split.name, metrics.size());
    if (is_new) {
      const auto type = split.name.ends_with("_total") ? MetricType::counter : MetricType::gauge;
      metrics.push_back(empty(split.name, about_counter(split.name), type));
    }
    metrics[place->second].samples.push_back({"", std::move(split.labels), static_cast<double>(value)});
  }
  return metrics;
}

Metrics timing_metrics(const Timings& timings) {
  Metrics metrics;
  for (std::size_t i = 0; i < timing_names.size(); ++i) {
    const TimingName& timing = timing_names[i];
    if (metrics.empty() || metrics.back().name != timing.name)
      metrics.push_back(empty(std::string(timing.name), std::string(timing.help), MetricType::histogram));
    const Histogram* const times = &timings.get(static_cast<Timing>(i));
    const Labels labels = timing.stage.empty() ? Labels{} : Labels{{"stage", std::string(timing.stage)}};
    append_histogram(metrics.back(), std::array{times}, labels);
  }
  return metrics;
}

std::vector<std::string> upstreams_without_server(const control::ServerReports& servers) {
  std::map<std::string, bool> upstreams;
  for (const control::ServerReport& server : servers) {
    bool& is_served = upstreams[server.upstream];
    is_served = is_served || takes_mail(server);
  }
  std::vector<std::string> sentences_of;
  for (const auto& [upstream, is_served] : upstreams) {
    if (!is_served) sentences_of.push_back("upstream " + upstream + ": no server is up");
  }
  return sentences_of;
}

Metrics server_metrics(const control::ServerReports& servers) {
  Metric up = empty("sallyport_upstream_server_up",
                    "Whether a server behind takes mail; one not asked yet counts as up.", MetricType::gauge);
  Metric open = empty("sallyport_upstream_server_connections", "Connections that are open to a server behind.",
                      MetricType::gauge);
  // As the configuration has it: a name's addresses come and go, and their figures are added.
  struct Sum {
    bool is_up = false;
    double connections = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const control::ServerReport& server : servers) {
    Sum& sum = sums[{server.upstream, configured_name(server)}];
    sum.is_up = sum.is_up || takes_mail(server);
    sum.connections += static_cast<double>(server.connections);
  }
  for (const auto& [key, sum] : sums) {
    const std::vector<std::pair<std::string, std::string>> labels{{"upstream", key.first}, {"server", key.second}};
    up.samples.push_back({"", labels, sum.is_up ? 1.0 : 0.0});
    open.samples.push_back({"", labels, sum.connections});
  }
  return {std::move(up), std::move(open)};
}

Metrics list_metrics(const control::ListReports& lists) {
  Metric asked = empty("sallyport_list_asked", "Whether a DNS list is asked; 0: it is set aside or failed its test.",
                       MetricType::gauge);
  Metric questions =
      empty("sallyport_list_questions_total", "Questions that a DNS list was to answer.", MetricType::counter);
  Metric hits =
      empty("sallyport_list_hits_total", "Clients, domains and hashes that a DNS list had.", MetricType::counter);
  Metric faults =
      empty("sallyport_list_faults_total", "Questions to a DNS list without a usable answer.", MetricType::counter);
  // Two zones may go by one name; their figures are added.
  struct Sum {
    bool is_asked = false;
    double questions = 0, hits = 0, faults = 0;
  };
  std::map<std::string, Sum> sums;
  for (const control::ListReport& list : lists) {
    Sum& sum = sums[list.list];
    for (const auto* family : {&list.ipv4, &list.ipv6, &list.names}) sum.is_asked |= family->state == "asked";
    sum.questions += static_cast<double>(list.questions);
    sum.hits += static_cast<double>(list.hits);
    sum.faults += static_cast<double>(list.faults);
  }
  for (const auto& [name, sum] : sums) {
    asked.samples.push_back({"", {{"list", name}}, sum.is_asked ? 1.0 : 0.0});
    questions.samples.push_back({"", {{"list", name}}, sum.questions});
    hits.samples.push_back({"", {{"list", name}}, sum.hits});
    faults.samples.push_back({"", {{"list", name}}, sum.faults});
  }
  return {std::move(asked), std::move(questions), std::move(hits), std::move(faults)};
}

control::State daemon_state(CommonParts& common, const session::Snapshot& snapshot, const Moment& moment,
                            bool is_stopping) {
  control::State state;
  auto counters = common.counters.all();
  for (auto& counter : common.rules.counters()) counters.push_back(std::move(counter));
  state.metrics.push_back({"sallyport_build_info",
                           "The version that runs.",
                           MetricType::gauge,
                           {{"", {{"version", std::string(version())}}, 1}}});
  const auto uptime = std::chrono::duration<double>(moment.now - moment.started);
  state.metrics.push_back(gauge("sallyport_uptime_seconds", "Since the daemon's start.", uptime.count()));
  append(state.metrics, counter_metrics(counters));
  append(state.metrics, timing_metrics(common.timings));
  append(state.metrics, upstream_metrics(snapshot.upstreams));
  append(state.metrics, tenant_metrics(*snapshot.settings, common.tenants));
  append(state.metrics, loop_metrics(common.loop_lags));
  append(state.metrics, certificate_metrics(snapshot.listeners, moment.wall_now));
  state.metrics.push_back(
      gauge("sallyport_open_descriptors", "Open descriptors of the process.", static_cast<double>(count_open_files())));
  state.metrics.push_back(gauge("sallyport_open_descriptors_limit", "Descriptors that the process may have open.",
                                static_cast<double>(most_open_files())));
  const control::ServerReports servers = server_reports(snapshot, common.registry.names(), moment);
  append(state.metrics, server_metrics(servers));
  append(state.metrics, list_metrics(list_reports(*snapshot.settings, common.lists, moment)));
  append(state.metrics, list_time_metrics(list_times(*snapshot.settings, common.lists)));
  append(state.metrics, rule_time_metrics(common.rules.all_times()));
  state.not_ready = reasons(common, snapshot, servers, moment, is_stopping);
  return state;
}

}  // namespace sallyport::app
