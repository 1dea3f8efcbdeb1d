#include "gateway/control/metrics.h"

#include <gtest/gtest.h>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

TEST(ControlMetrics, AreReadAsTheyWereWritten) {
  const State state{{{"a_total", "What \"a\" is.", MetricType::counter, {{"", {{"kind", "x\n"}}, 3}}},
                     {"b", "b", MetricType::gauge, {{"", {}, -0.5}}},
                     {"c", "c", MetricType::histogram, {{"_bucket", {{"le", "+Inf"}}, 2}, {"_count", {}, 2}}}},
                    {"draining", "upstream a: no server is up"}};
  const auto read = decode_state(encode_state(state));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, state);
}

TEST(ControlMetrics, WhatIsNoneIsAnError) {
  for (
      const char* line :
      {"", "{}", R"({"ok":true})", R"({"ok":true,"metrics":{},"not_ready":[]})", R"({"ok":true,"metrics":[]})",
       R"({"ok":true,"metrics":[{}],"not_ready":[]})", R"({"ok":true,"metrics":[],"not_ready":[1]})",
       R"({"ok":true,"metrics":[{"name":"a","help":"","type":"gauge","samples":[{"value":"x"}]}],"not_ready":[]})",
       R"({"ok":true,"metrics":[{"name":"a","help":"","type":"gauge","samples":[{"labels":[["a"]],"value":1}]}],"not_ready":[]})"})
    EXPECT_FALSE(decode_state(line)) << line;
  EXPECT_EQ(decode_state(encode_error("no")).error().message, "no");
}

}  // namespace
}  // namespace sallyport::control
