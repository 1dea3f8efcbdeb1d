#include "gateway/control/protocol.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

TEST(ControlProtocol, RequestsComeBack) {
  const std::string line = encode({"stats"});
  EXPECT_EQ(line, R"({"command":"stats"})");
  const auto request = decode_request(line);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, "stats");
}

TEST(ControlProtocol, BadRequestsAreErrors) {
  for (const char* line :
       {"", "stats", "[]", "{}", R"({"command":1})", R"({"command":"stats")", "\xff", "{\"command\":\"\xff\"}"})
    EXPECT_FALSE(decode_request(line)) << line;
  EXPECT_FALSE(decode_request(std::string(max_request_bytes + 1, ' ')));
  EXPECT_FALSE(decode_request(std::string(max_request_bytes, '[')));
}

TEST(ControlProtocol, StatsKeepTheirOrder) {
  const Stats stats{{"sallyport_sessions", 3}, {"sallyport_a{kind=\"x\"}", -1}};
  const std::string line = encode_stats(stats);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto decoded = decode_stats(line);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, stats);
  EXPECT_EQ(stats_json(stats), R"({"sallyport_sessions":3,"sallyport_a{kind=\"x\"}":-1})");
}

TEST(ControlProtocol, ValuesArriveAsTheyWere) {
  const std::string values = "limits.hops\t100\npolicy.dmarc.report.contact\t\"a \\\"b\\\"\"\n";
  const std::string line = encode_values(values);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto decoded = decode_values(line);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, values);
  EXPECT_EQ(decode_values(encode_error("no")).error().message, "no");
  for (const char* wrong : {"", "{}", R"({"ok":true})", R"({"ok":true,"values":{}})"})
    EXPECT_FALSE(decode_values(wrong)) << wrong;
}

TEST(ControlProtocol, AReloadSaysWhatIsInForce) {
  const Reloaded reloaded{"0123456789abcdef",
                          "2 settings changed (limits.hops, hostname)",
                          {"workers", "user"},
                          "1 of 2 workers serves by that of before"};
  const std::string line = encode_reloaded(reloaded);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto decoded = decode_reloaded(line);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_TRUE(*decoded);
  EXPECT_EQ(**decoded, reloaded);
}

TEST(ControlProtocol, AReloadThatIsNotTakenSaysWhy) {
  const ReloadErrors errors{"a.toml:1:2: error: \"x\"", "a.toml:3:4: error: \xff"};
  const auto decoded = decode_reloaded(encode_reload_errors(errors));
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_FALSE(*decoded);
  EXPECT_EQ(decoded->error(), (ReloadErrors{"a.toml:1:2: error: \"x\"", "a.toml:3:4: error: \xef\xbf\xbd"}));
  EXPECT_EQ(decode_reloaded(encode_error("no")).error().message, "no");
  for (const char* wrong : {"", "{}", R"({"ok":true})", R"({"ok":true,"reloaded":{}})", R"({"ok":false,"errors":[]})",
                            R"({"ok":true,"reloaded":{"config":"a","changed":"b","needs_restart":[1]}})"})
    EXPECT_FALSE(decode_reloaded(wrong)) << wrong;
}

TEST(ControlProtocol, ErrorsArriveAsSuch) {
  const auto decoded = decode_stats(encode_error("unknown command \"x\"\n\xff"));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "unknown command \"x\"\n\xef\xbf\xbd");
}

TEST(ControlProtocol, BadResponsesAreErrors) {
  for (const char* line : {"", "{}", R"({"ok":1})", R"({"ok":true})", R"({"ok":true,"stats":[]})",
                           R"({"ok":true,"stats":{"a":"b"}})", R"({"ok":false})"})
    EXPECT_FALSE(decode_stats(line)) << line;
}

TEST(ControlProtocol, TheSocketLiesInTheStateDirectory) {
  EXPECT_EQ(socket_path("/var/lib/sallyport"), "/var/lib/sallyport/control.sock");
  EXPECT_EQ(socket_path("/var/lib/sallyport/"), "/var/lib/sallyport/control.sock");
}

}  // namespace
}  // namespace sallyport::control
