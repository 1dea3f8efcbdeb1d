#include "gateway/control/drained.h"

#include <gtest/gtest.h>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

TEST(ControlDrained, IsReadAsItWasWritten) {
  const Drained drained{"4711-1", 7,  "4720-2", {{"a_total", "a", MetricType::counter, {{"", {{"kind", "x"}}, 3}}}},
                        3,        99, true};
  const auto read = decode_drained(encode_drained(drained));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, drained);
  EXPECT_EQ(decode_request(encode_drained(drained))->command, drained_command);

  const DrainedTaken taken{"4720-2", true};
  EXPECT_EQ(*decode_drained_taken(encode_drained_taken(taken)), taken);
  EXPECT_FALSE(decode_drained_taken(encode_error("no")));
  EXPECT_FALSE(decode_drained_taken(encode_done()));
}

TEST(ControlDrained, WhatIsNoneIsAnError) {
  const std::string good = encode_drained({"4711-1", 1, "", {}, 0, 0, false});
  EXPECT_TRUE(decode_drained(good));
  const auto without = [&](std::string_view what, std::string_view put) {
    std::string line = good;
    return line.replace(line.find(what), what.size(), put);
  };
  for (const std::string& line :
       {std::string(), std::string("{}"), without("drained", "stats"), without("4711-1", ""),
        without("\"number\":1", "\"number\":\"1\""), without("\"grown\":[]", "\"grown\":{}"),
        without("\"grown\":[]", R"("grown":[{"name":"a","help":"","type":"gauge","samples":[]}])"),
        without("\"sessions\":0,", ""), without("false", "0"), std::string(max_drained_bytes + 1, ' ')})
    EXPECT_FALSE(decode_drained(line)) << line.substr(0, 200);
}

}  // namespace
}  // namespace sallyport::control
