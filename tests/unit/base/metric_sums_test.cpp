#include "gateway/base/metric_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Metric counter(std::string name, std::vector<MetricSample> samples) {
  return {std::move(name), "x", MetricType::counter, std::move(samples)};
}

const Metrics before{counter("a_total", {{"", {{"kind", "x"}}, 3}, {"", {{"kind", "y"}}, 1}}),
                     {"held", "x", MetricType::gauge, {{"", {}, 5}}},
                     {"took", "x", MetricType::histogram, {{"_bucket", {{"le", "1"}}, 2}, {"_sum", {}, 0.5}}}};

TEST(MetricSums, GrowthIsOfCountersAndHistogramsAndOfWhatHasGrownAlone) {
  const Metrics now{counter("a_total", {{"", {{"kind", "x"}}, 3}, {"", {{"kind", "y"}}, 5}, {"", {{"kind", "z"}}, 2}}),
                    {"held", "x", MetricType::gauge, {{"", {}, 50}}},
                    {"took", "x", MetricType::histogram, {{"_bucket", {{"le", "1"}}, 2}, {"_sum", {}, 0.75}}},
                    counter("new_total", {{"", {}, 1}})};
  const Metrics grown = growth(before, now);
  EXPECT_THAT(grown, ElementsAre(counter("a_total", {{"", {{"kind", "y"}}, 4}, {"", {{"kind", "z"}}, 2}}),
                                 Metric{"took", "x", MetricType::histogram, {{"_sum", {}, 0.25}}},
                                 counter("new_total", {{"", {}, 1}})));
  EXPECT_THAT(growth(now, now), IsEmpty());
}

TEST(MetricSums, WhatHasGrownIsAddedSeriesBySeries) {
  Metrics sums = before;
  add_growth(sums, {counter("a_total", {{"", {{"kind", "z"}}, 2}, {"", {{"kind", "x"}}, 4}}),
                    {"held", "x", MetricType::gauge, {{"", {}, 50}}},
                    {"took", "x", MetricType::histogram, {{"_bucket", {{"le", "1"}}, 7}}},
                    counter("new_total", {{"", {}, 1}})});
  EXPECT_THAT(
      sums,
      ElementsAre(counter("a_total", {{"", {{"kind", "x"}}, 7}, {"", {{"kind", "y"}}, 1}, {"", {{"kind", "z"}}, 2}}),
                  before[1],
                  Metric{"took", "x", MetricType::histogram, {{"_bucket", {{"le", "1"}}, 9}, {"_sum", {}, 0.5}}},
                  counter("new_total", {{"", {}, 1}})));
}

}  // namespace
}  // namespace sallyport
