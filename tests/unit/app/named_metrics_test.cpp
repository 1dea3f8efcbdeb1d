// Figures of what a configuration names.
#include "gateway/app/named_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/record/counters.h"
#include "policies/dnsbl/settings.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::app {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

const Metric& named(const Metrics& metrics, std::string_view name) {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return metric;
  }
  ADD_FAILURE() << "no " << name;
  static const Metric none;
  return none;
}

double value_of(const Metric& metric, std::string_view suffix, const Labels& labels) {
  for (const MetricSample& sample : metric.samples) {
    if (sample.suffix == suffix && sample.labels == labels) return sample.value;
  }
  ADD_FAILURE() << metric.name << suffix;
  return -1;
}

TEST(NamedMetrics, AnUpstreamHasTheTimesOfItsServersAndKeepsThemOverAReload) {
  config::Settings settings;
  settings.upstreams["a"].name = "a";
  settings.upstreams["b"].name = "b";
  upstream::UpstreamRegistry registry;
  registry.make_groups(settings, {}).at("a")->figures->reply.add(3ms);
  settings.upstreams.erase("b");
  const upstream::UpstreamGroups groups = registry.make_groups(settings, {});
  groups.at("a")->figures->reply.add(30ms);
  groups.at("a")->figures->final_reply.add(1s);
  const Metrics metrics = upstream_metrics(groups);
  const Metric& reply = named(metrics, "sallyport_upstream_reply_seconds");
  EXPECT_EQ(reply.type, MetricType::histogram);
  EXPECT_EQ(value_of(reply, "_count", {{"upstream", "a"}}), 2);
  EXPECT_EQ(value_of(reply, "_bucket", {{"upstream", "a"}, {"le", "0.005"}}), 1);
  EXPECT_EQ(value_of(reply, "_bucket", {{"upstream", "a"}, {"le", "+Inf"}}), 2);
  EXPECT_EQ(value_of(named(metrics, "sallyport_upstream_final_reply_seconds"), "_count", {{"upstream", "a"}}), 1);
  EXPECT_EQ(value_of(named(metrics, "sallyport_upstream_connect_seconds"), "_count", {{"upstream", "a"}}), 0);
  for (const MetricSample& sample : reply.samples) EXPECT_EQ(sample.labels.front().second, "a");
}

record::MailRecord record_of(std::string tenant, record::Outcome outcome,
                             record::Subject subject = record::Subject::transaction) {
  record::MailRecord record;
  record.subject = subject;
  record.outcome = outcome;
  record.size = 100;
  record.transaction.tenant.name = std::move(tenant);
  return record;
}

TEST(NamedMetrics, EachTenantOfTheConfigurationHasItsMailsAndNobodyElseHas) {
  config::Settings settings;
  settings.tenants["acme"];
  settings.tenants["idle"];
  Counters counters;
  record::TenantTable tenants;
  record::RecordCounters first_worker(counters, nullptr, &tenants), second_worker(counters, nullptr, &tenants);
  first_worker.take(record_of("acme", record::Outcome::relay));
  second_worker.take(record_of("acme", record::Outcome::relay));
  second_worker.take(record_of("acme", record::Outcome::reject));
  second_worker.take(record_of("acme", record::Outcome::reject, record::Subject::recipient));
  first_worker.take(record_of("gone", record::Outcome::relay));
  first_worker.take(record_of("", record::Outcome::drop));
  const Metrics metrics = tenant_metrics(settings, tenants);
  const Metric& mails = named(metrics, "sallyport_tenant_mails_total");
  EXPECT_EQ(mails.samples.size(), 2 * record::TenantFigures::outcomes);
  EXPECT_EQ(value_of(mails, "", {{"tenant", "acme"}, {"verdict", "relay"}}), 2);
  EXPECT_EQ(value_of(mails, "", {{"tenant", "acme"}, {"verdict", "reject"}}), 1);
  EXPECT_EQ(value_of(mails, "", {{"tenant", "idle"}, {"verdict", "relay"}}), 0);
  EXPECT_EQ(value_of(named(metrics, "sallyport_tenant_recipients_refused_total"), "", {{"tenant", "acme"}}), 1);
  EXPECT_EQ(value_of(named(metrics, "sallyport_tenant_octets_received_total"), "", {{"tenant", "acme"}}), 300);
}

TEST(NamedMetrics, AListHasTheTimesOfItsAnswers) {
  config::Settings settings;
  settings.policy.edit(policies::dnsbl_section).zones["k3y.paid.example"].name = "paid";
  settings.policy.edit(policies::dnsbl_section).zones["free.example"];
  const policies::ListTable table;
  policies::ListHealth& health = table.of("k3y.paid.example");
  health.may_ask(policies::ListPart::ipv4, Time(1s))->answered(Time(1s + 40ms));
  health.may_ask(policies::ListPart::ipv6, Time(1s))->failed(Time(6s), "no answer in time");
  const Metrics metrics = list_time_metrics(list_times(settings, table));
  const Metric& times = named(metrics, "sallyport_list_question_seconds");
  EXPECT_EQ(value_of(times, "_count", {{"list", "paid"}}), 2);
  EXPECT_EQ(value_of(times, "_bucket", {{"list", "paid"}, {"le", "0.05"}}), 1);
  EXPECT_NEAR(value_of(times, "_sum", {{"list", "paid"}}), 5.04, 1e-6);
  EXPECT_EQ(value_of(times, "_count", {{"list", "free.example"}}), 0);
  EXPECT_EQ(times.samples.size(), 2 * (Histogram::bounds.size() + 3));
}

TEST(NamedMetrics, ZonesOfOneNameAreOneHistogram) {
  Histogram of_addresses, of_names;
  of_addresses.add(40ms);
  of_names.add(5s);
  const Metrics metrics = list_time_metrics({{"both", &of_addresses}, {"both", &of_names}});
  EXPECT_EQ(value_of(metrics[0], "_count", {{"list", "both"}}), 2);
  EXPECT_NEAR(value_of(metrics[0], "_sum", {{"list", "both"}}), 5.04, 1e-6);
  EXPECT_EQ(metrics[0].samples.size(), Histogram::bounds.size() + 3);
}

TEST(NamedMetrics, ARuleHasTheTimesOfAllItsWorkersOverAllLoads) {
  lua::RuleBook book;
  {
    const auto one = book.times("LOTTERY");
    const auto other = book.times("LOTTERY");
    EXPECT_NE(one, other);
    one->took.add(3ms);
    other->took.add(30ms);
  }
  const auto after_a_reload = book.times("LOTTERY");
  after_a_reload->took.add(1s);
  book.times("NEVER_RUN");
  const Metrics metrics = rule_time_metrics(book.all_times());
  const Metric& times = named(metrics, "sallyport_rule_seconds");
  EXPECT_EQ(times.type, MetricType::histogram);
  EXPECT_EQ(value_of(times, "_count", {{"rule", "LOTTERY"}}), 3);
  EXPECT_EQ(value_of(times, "_bucket", {{"rule", "LOTTERY"}, {"le", "0.005"}}), 1);
  EXPECT_NEAR(value_of(times, "_sum", {{"rule", "LOTTERY"}}), 1.033, 1e-6);
  EXPECT_EQ(value_of(times, "_count", {{"rule", "NEVER_RUN"}}), 0);
  ASSERT_EQ(book.all_times().size(), 2u);
  EXPECT_EQ(book.all_times()[0].times.size(), 2u) << "what is free is used again";

  std::vector<std::shared_ptr<lua::RuleTimes>> held;
  for (std::size_t i = 0; i < 2 * lua::RuleBook::most_timed; ++i) held.push_back(book.times(std::to_string(i)));
  EXPECT_EQ(book.all_times().size(), lua::RuleBook::most_timed);
}

TEST(NamedMetrics, EachCertificateHasItsEndOnce) {
  tls::CertificateFolder folder;
  tls::ServerTlsSettings settings;
  settings.certificates = {folder.make({.valid_until_days = 30})};
  const auto context = tls::make_server_context(settings).value();
  std::vector<session::Listener> listeners(3);
  listeners[0].tls = listeners[1].tls = context;
  const WallTime end = context->expires_at();
  const Metrics metrics = certificate_metrics(listeners, end - 3600s);
  const Metric& left = named(metrics, "sallyport_certificate_expires_in_seconds");
  ASSERT_EQ(left.samples.size(), 1u);
  EXPECT_EQ(left.samples[0].value, 3600);
  EXPECT_EQ(left.samples[0].labels.at(0).first, "certificate");
  EXPECT_THAT(left.samples[0].labels.at(0).second, testing::HasSubstr("/"));
  EXPECT_EQ(certificate_metrics(listeners, end + 60s)[0].samples[0].value, -60);
  EXPECT_THAT(certificate_metrics({}, end)[0].samples, IsEmpty());
}

TEST(NamedMetrics, EachLoopHasItsLag) {
  std::deque<LoopLag> loops;
  loops.emplace_back("1").times.add(1500us);
  loops.emplace_back("main");
  const Metrics metrics = loop_metrics(loops);
  EXPECT_EQ(value_of(metrics[0], "_count", {{"loop", "1"}}), 1);
  EXPECT_EQ(value_of(metrics[0], "_count", {{"loop", "main"}}), 0);
}

}  // namespace
}  // namespace sallyport::app
