#include "gateway/app/metric_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sallyport::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

control::ServerReport server(std::string upstream, std::string name, std::string address, std::string state,
                             std::uint64_t connections = 0) {
  control::ServerReport report;
  report.upstream = std::move(upstream);
  report.name = std::move(name);
  report.address = std::move(address);
  report.state = std::move(state);
  report.connections = connections;
  return report;
}

const Metric* find(const Metrics& metrics, std::string_view name) {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

TEST(MetricReport, EveryCounterIsThereOnceWithTypeAndMeaning) {
  const Counters counters;
  const Metrics metrics = counter_metrics(counters.all());
  std::set<std::string> names;
  std::size_t samples = 0;
  for (const Metric& metric : metrics) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.help.empty()) << metric.name;
    EXPECT_EQ(metric.type, metric.name.ends_with("_total") ? MetricType::counter : MetricType::gauge) << metric.name;
    samples += metric.samples.size();
  }
  EXPECT_EQ(samples, counters.all().size());
  ASSERT_NE(find(metrics, "sallyport_faults_total"), nullptr);
  EXPECT_EQ(find(metrics, "sallyport_faults_total")->samples.size(), std::size_t(Fault::count_));
}

TEST(MetricReport, ACounterWithoutASentenceHasItsName) {
  EXPECT_EQ(about_counter("sallyport_relayed_total"), "Mails that the server behind took, without a mark.");
  EXPECT_EQ(about_counter("sallyport_new_things_total"), "new things total.");
}

TEST(MetricReport, HistogramsAddUpTheirBuckets) {
  Timings timings;
  timings.add(Timing::mail, std::chrono::milliseconds(3));
  timings.add(Timing::mail, std::chrono::milliseconds(5));
  timings.add(Timing::mail, std::chrono::hours(1));
  timings.add(Timing::mail, std::chrono::seconds(-1));
  timings.add(Timing::stage_message, std::chrono::milliseconds(20));
  const Metrics metrics = timing_metrics(timings);
  const Metric* mail = find(metrics, "sallyport_mail_seconds");
  ASSERT_NE(mail, nullptr);
  EXPECT_EQ(mail->type, MetricType::histogram);
  const auto value_of = [](const Metric& metric, std::string_view suffix, std::string_view bound) {
    for (const MetricSample& sample : metric.samples) {
      if (sample.suffix == suffix && (bound.empty() || sample.labels.back().second == bound)) return sample.value;
    }
    ADD_FAILURE() << suffix << " " << bound;
    return -1.0;
  };
  EXPECT_EQ(value_of(*mail, "_bucket", "0.0001"), 1);
  EXPECT_EQ(value_of(*mail, "_bucket", "0.0025"), 1);
  EXPECT_EQ(value_of(*mail, "_bucket", "0.005"), 3);
  EXPECT_EQ(value_of(*mail, "_bucket", "300"), 3);
  EXPECT_EQ(value_of(*mail, "_bucket", "+Inf"), 4);
  EXPECT_EQ(value_of(*mail, "_count", ""), 4);
  EXPECT_NEAR(value_of(*mail, "_sum", ""), 3600.008, 1e-6);

  std::set<std::string> names;
  for (const Metric& metric : metrics) EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
  const Metric* stages = find(metrics, "sallyport_stage_seconds");
  ASSERT_NE(stages, nullptr);
  double counted = 0;
  for (const MetricSample& sample : stages->samples) {
    if (sample.suffix != "_count") continue;
    EXPECT_EQ(sample.value, sample.labels.front().second == "message" ? 1 : 0) << sample.labels.front().second;
    ++counted;
  }
  EXPECT_EQ(counted, 6);
}

TEST(MetricReport, AnUpstreamIsInTroubleWhenNoServerTakesMail) {
  EXPECT_THAT(upstreams_without_server({server("a", "", "10.0.0.1:25", "down"), server("a", "", "10.0.0.2:25", "up"),
                                        server("b", "", "10.0.0.3:25", "unknown"),
                                        server("c", "", "10.0.0.4:25", "down"), server("c", "", "10.0.0.5:25", "full"),
                                        server("d", "mail.example", "mail.example:25", "no address")}),
              ElementsAre("upstream c: no server is up", "upstream d: no server is up"));
  EXPECT_THAT(upstreams_without_server({}), IsEmpty());
}

// Addresses come from the DNS; the number of series must not (threats.md R15).
TEST(MetricReport, AServerGoesByTheNameThatTheConfigurationHas) {
  const Metrics metrics =
      server_metrics({server("a", "mail.example", "10.0.0.1:25", "down", 1),
                      server("a", "mail.example", "10.0.0.2:25", "up", 2), server("a", "", "10.0.0.3:25", "down", 4)});
  using Labels = std::vector<std::pair<std::string, std::string>>;
  const Metric* up = find(metrics, "sallyport_upstream_server_up");
  ASSERT_NE(up, nullptr);
  EXPECT_THAT(up->samples, ElementsAre(MetricSample{"", Labels{{"upstream", "a"}, {"server", "10.0.0.3:25"}}, 0},
                                       MetricSample{"", Labels{{"upstream", "a"}, {"server", "mail.example:25"}}, 1}));
  EXPECT_EQ(find(metrics, "sallyport_upstream_server_connections")->samples.back().value, 3);
}

TEST(MetricReport, ListsOfOneNameAreOneSeries) {
  control::ListReport one;
  one.list = "zen";
  one.ipv4.state = "set aside";
  one.questions = 5;
  one.hits = 2;
  control::ListReport other = one;
  other.ipv4.state = "asked";
  other.faults = 1;
  const Metrics metrics = list_metrics({one, other});
  for (const auto& [name, value] :
       {std::pair("sallyport_list_asked", 1.0), std::pair("sallyport_list_questions_total", 10.0),
        std::pair("sallyport_list_hits_total", 4.0), std::pair("sallyport_list_faults_total", 1.0)}) {
    const Metric* metric = find(metrics, name);
    ASSERT_NE(metric, nullptr) << name;
    EXPECT_THAT(metric->samples, ElementsAre(MetricSample{"", {{"list", "zen"}}, value})) << name;
  }
}

}  // namespace
}  // namespace sallyport::app
