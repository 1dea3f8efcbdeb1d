// The answer to `upstreams` there and back, and answers that are none.
#include "gateway/control/upstreams.h"

#include <gtest/gtest.h>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

TEST(Upstreams, ThereAndBack) {
  const ServerReports servers{{"default",
                               "mail.acme.internal",
                               "10.0.0.5:25",
                               "up",
                               1795950000,
                               "greeting \"421\" \n",
                               3,
                               {"8BITMIME", "SIZE 5"}},
                              {"local", "", "unix:/run/lmtp", "unknown", 0, "", 0, {}}};
  const std::string line = encode_upstreams(servers);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto decoded = decode_upstreams(line);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, servers);
  EXPECT_EQ(line, R"({"ok":true,"upstreams":)" + upstreams_json(servers) + "}");
  EXPECT_TRUE(decode_upstreams(encode_upstreams({}))->empty());
}

TEST(Upstreams, AnswersThatAreNone) {
  for (const char* line : {"", "{}", R"({"ok":true})", R"({"ok":true,"upstreams":{}})",
                           R"({"ok":true,"upstreams":[1]})", R"({"ok":true,"upstreams":[{"upstream":"x"}]})"})
    EXPECT_FALSE(decode_upstreams(line)) << line;
  const auto refused = decode_upstreams(encode_error("no"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no");
}

}  // namespace
}  // namespace sallyport::control
