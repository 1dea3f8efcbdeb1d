#include "gateway/app/named_metrics.h"

#include <array>
#include <charconv>
#include <chrono>
#include <map>

#include "gateway/upstream/figures.h"

namespace sallyport::app {

namespace {

Metric empty(std::string name, std::string help, MetricType type) {
  return {std::move(name), std::move(help), type, {}};
}

std::string seconds_text(Duration duration) {
  std::array<char, 32> digits;
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), seconds, std::chars_format::fixed);
  return {digits.data(), written.ptr};
}

double value(const std::atomic<std::uint64_t>& count) {
  return static_cast<double>(count.load(std::memory_order_relaxed));
}

}  // namespace

void append_histogram(Metric& metric, std::span<const Histogram* const> histograms, const Labels& labels) {
  double count = 0;
  for (std::size_t i = 0; i <= Histogram::bounds.size(); ++i) {
    for (const Histogram* histogram : histograms) count += static_cast<double>(histogram->count(i));
    Labels with_bound = labels;
    with_bound.emplace_back("le", i < Histogram::bounds.size() ? seconds_text(Histogram::bounds[i]) : "+Inf");
    metric.samples.push_back({"_bucket", std::move(with_bound), count});
  }
  double sum = 0;
  for (const Histogram* histogram : histograms) sum += histogram->sum_seconds();
  metric.samples.push_back({"_sum", labels, sum});
  metric.samples.push_back({"_count", labels, count});
}

Metrics upstream_metrics(const upstream::UpstreamGroups& upstreams) {
  Metric connect = empty("sallyport_upstream_connect_seconds",
                         "How long a connection to a server behind took, up to its EHLO reply.", MetricType::histogram);
  Metric reply = empty("sallyport_upstream_reply_seconds", "How long a server behind took to answer MAIL and RCPT.",
                       MetricType::histogram);
  Metric final_reply = empty("sallyport_upstream_final_reply_seconds",
                             "How long a server behind took to answer the end of a message.", MetricType::histogram);
  for (const auto& [name, group] : upstreams) {
    const upstream::UpstreamFigures& figures = *group->figures;
    const Labels labels{{"upstream", name}};
    append_histogram(connect, std::array{&figures.connect}, labels);
    append_histogram(reply, std::array{&figures.reply}, labels);
    append_histogram(final_reply, std::array{&figures.final_reply}, labels);
  }
  return {std::move(connect), std::move(reply), std::move(final_reply)};
}

Metrics list_time_metrics(const std::vector<ListTimes>& lists) {
  Metric metric = empty("sallyport_list_question_seconds",
                        "How long a DNS list took to answer a question, or to fail to.", MetricType::histogram);
  std::map<std::string, std::vector<const Histogram*>> by_name;
  for (const ListTimes& list : lists) by_name[list.list].push_back(list.times);
  for (const auto& [name, times] : by_name) append_histogram(metric, times, {{"list", name}});
  return {std::move(metric)};
}

Metrics rule_time_metrics(const std::vector<lua::RuleBook::TimesOfRule>& rules) {
  Metric metric = empty("sallyport_rule_seconds", "How long a run of a rule took, what it waited for included.",
                        MetricType::histogram);
  for (const auto& [rule, times] : rules) append_histogram(metric, times, {{"rule", rule}});
  return {std::move(metric)};
}

Metrics tenant_metrics(const config::Settings& settings, record::TenantTable& tenants) {
  Metric mails =
      empty("sallyport_tenant_mails_total", "Mails of a tenant, by what became of them.", MetricType::counter);
  Metric refused = empty("sallyport_tenant_recipients_refused_total", "Recipients of a tenant that were refused.",
                         MetricType::counter);
  Metric octets = empty("sallyport_tenant_octets_received_total", "Octets of a tenant's mails that came to their end.",
                        MetricType::counter);
  for (const auto& [name, tenant] : settings.tenants) {
    const record::TenantFigures& figures = tenants.of(name);
    for (std::size_t i = 0; i < record::TenantFigures::outcomes; ++i) {
      const auto verdict = std::string(word(static_cast<record::Outcome>(i)));
      mails.samples.push_back({"", {{"tenant", name}, {"verdict", verdict}}, value(figures.mails[i])});
    }
    refused.samples.push_back({"", {{"tenant", name}}, value(figures.refused_recipients)});
    octets.samples.push_back({"", {{"tenant", name}}, value(figures.octets)});
  }
  return {std::move(mails), std::move(refused), std::move(octets)};
}

Metrics certificate_metrics(const std::vector<session::Listener>& listeners, WallTime now) {
  Metric metric = empty("sallyport_certificate_expires_in_seconds",
                        "Until a certificate of ours expires; negative: since.", MetricType::gauge);
  // Listeners share certificates.
  std::map<std::string, WallTime> ends;
  for (const session::Listener& listener : listeners) {
    if (!listener.tls) continue;
    for (const auto& [file, at] : listener.tls->ends()) ends.try_emplace(file, at);
  }
  for (const auto& [file, at] : ends) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(at - now).count();
    metric.samples.push_back({"", {{"certificate", file}}, static_cast<double>(left)});
  }
  return {std::move(metric)};
}

Metrics loop_metrics(const std::deque<LoopLag>& loops) {
  Metric metric = empty("sallyport_loop_lag_seconds",
                        "How late the timers of an event loop come; one of an idle loop is late by one or two "
                        "milliseconds.",
                        MetricType::histogram);
  for (const LoopLag& lag : loops) append_histogram(metric, std::array{&lag.times}, {{"loop", lag.loop}});
  return {std::move(metric)};
}

}  // namespace sallyport::app
