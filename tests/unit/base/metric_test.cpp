#include "gateway/base/metric.h"

#include <gtest/gtest.h>

#include <limits>

namespace sallyport {
namespace {

TEST(PrometheusText, HasHelpAndTypeBeforeTheSamplesOfAMetric) {
  const Metrics metrics{{"a_total", "What a is.", MetricType::counter, {{"", {}, 3}}},
                        {"b", "What b is.", MetricType::gauge, {{"", {{"kind", "x"}, {"list", "y"}}, -1.5}}}};
  EXPECT_EQ(to_prometheus_text(metrics),
            "# HELP a_total What a is.\n# TYPE a_total counter\na_total 3\n"
            "# HELP b What b is.\n# TYPE b gauge\nb{kind=\"x\",list=\"y\"} -1.5\n");
}

TEST(PrometheusText, EscapesHelpAndLabels) {
  const Metrics metrics{{"a", "one\ntwo \\ \"three\"", MetricType::gauge, {{"", {{"l", "q\" b\\ n\n."}}, 1}}}};
  EXPECT_EQ(to_prometheus_text(metrics),
            "# HELP a one\\ntwo \\\\ \"three\"\n# TYPE a gauge\na{l=\"q\\\" b\\\\ n\\n.\"} 1\n");
}

TEST(PrometheusText, WritesNumbersSoThatTheyAreReadAgain) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Metrics metrics{{"a",
                         "x",
                         MetricType::gauge,
                         {{"", {}, 123456789012.0},
                          {"", {}, 0.00025},
                          {"", {}, infinity},
                          {"", {}, -infinity},
                          {"", {}, std::numeric_limits<double>::quiet_NaN()}}}};
  EXPECT_EQ(to_prometheus_text(metrics),
            "# HELP a x\n# TYPE a gauge\na 123456789012\na 0.00025\na +Inf\na -Inf\na NaN\n");
}

TEST(PrometheusText, LeavesOutAMetricWithoutSamples) {
  const Metrics metrics{{"a", "x", MetricType::gauge, {}}};
  EXPECT_EQ(to_prometheus_text(metrics), "");
}

TEST(SplitName, GivesTheLabelOfACounter) {
  EXPECT_EQ(split_name("a_total").name, "a_total");
  EXPECT_TRUE(split_name("a_total").labels.empty());
  const MetricName split = split_name("a_total{rule=\"X\"}");
  EXPECT_EQ(split.name, "a_total");
  ASSERT_EQ(split.labels.size(), 1u);
  EXPECT_EQ(split.labels.front(), std::pair(std::string("rule"), std::string("X")));
  for (const char* odd : {"a{", "a{rule", "a{rule=\"", "a{}"}) EXPECT_EQ(split_name(odd).name, "a") << odd;
}

}  // namespace
}  // namespace sallyport
