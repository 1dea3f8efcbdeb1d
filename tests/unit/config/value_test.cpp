#include "gateway/config/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace sallyport::config {
namespace {

using testing::HasSubstr;

struct Read {
  std::optional<Value> value;
  ConfigErrors errors;
};

Read read(const std::string& toml, const Shape& shape) {
  const auto document = parse_document("v = " + toml, "f");
  EXPECT_TRUE(document) << toml;
  Read result;
  result.value = parse_value(document->members.at(0).value, shape, "/etc/sp", result.errors);
  EXPECT_EQ(result.value.has_value(), result.errors.empty()) << toml;
  return result;
}

// The value's own way back to text.
std::string again(const std::string& toml, const Shape& shape) {
  const Read result = read(toml, shape);
  return result.value ? to_toml(*result.value, shape.type) : "error: " + result.errors.at(0).message;
}

std::string error(const std::string& toml, const Shape& shape) {
  const Read result = read(toml, shape);
  return result.errors.empty() ? "no error" : result.errors.at(0).message;
}

TEST(Value, EveryTypeIsWrittenAsItIsRead) {
  const std::vector<std::pair<Type, std::string>> cases{
      {Type::text, R"("sally \"port\"")"},
      {Type::boolean, "true"},
      {Type::integer, "42"},
      {Type::number, "-1.5"},
      {Type::number, "8.0"},
      {Type::duration, R"("250ms")"},
      {Type::size, R"("25MiB")"},
      {Type::rate, R"("300/1h burst 50")"},
      {Type::rate, R"("off")"},
      {Type::networks, R"(["10.0.0.0/8", "2001:db8::/32"])"},
      {Type::networks, "[]"},
      {Type::address, R"("[2001:db8::1]:25")"},
      {Type::addresses, R"(["192.0.2.1:25", "192.0.2.2:2525"])"},
      {Type::domain, R"("mx.example.com")"},
      {Type::domains, R"(["example.com", "*.example.com"])"},
      {Type::path, R"("/var/lib/sallyport")"},
      {Type::globs, R"(["tenants/*.toml"])"},
      {Type::reply_ranges, R"(["127.0.0.2", "127.0.0.4-127.0.0.11"])"},
      {Type::log_target, R"("journal")"},
      {Type::log_target, R"("file:/var/log/sp.log")"},
  };
  for (const auto& [type, toml] : cases) EXPECT_EQ(again(toml, {.type = type}), toml);
}

TEST(Value, ForgivingWhereTheMeaningIsClear) {
  EXPECT_EQ(again("8", {.type = Type::number}), "8.0");
  EXPECT_EQ(again("1024", {.type = Type::size}), R"("1KiB")");
  EXPECT_EQ(again(R"("MX.Example.COM")", {.type = Type::domain}), R"("mx.example.com")");
  EXPECT_EQ(again(R"("certs/mx1/")", {.type = Type::path}), R"("/etc/sp/certs/mx1")");
  EXPECT_EQ(again(R"("../x")", {.type = Type::path}), R"("/etc/x")");
  EXPECT_EQ(again(R"("file:sp.log")", {.type = Type::log_target}), R"("file:/etc/sp/sp.log")");
  EXPECT_EQ(again(R"(["192.0.2.1", "2001:db8::1"])", {.type = Type::addresses, .port = 53}),
            R"(["192.0.2.1:53", "[2001:db8::1]:53"])");
  EXPECT_EQ(again(R"("192.0.2.1")", {.type = Type::address, .port = 25}), R"("192.0.2.1:25")");
}

TEST(Value, WrongTypesSayWhatIsExpected) {
  EXPECT_EQ(error(R"("5 seconds")", {.type = Type::duration}),
            R"(expected a duration like "5s", not a text "5 seconds")");
  EXPECT_EQ(error("5", {.type = Type::duration}), R"(expected a duration like "5s", not an integer 5)");
  EXPECT_EQ(error(R"("yes")", {.type = Type::boolean}), R"(expected true or false, not a text "yes")");
  EXPECT_EQ(error("\"x\"", {.type = Type::networks}),
            R"(expected a list of networks like ["10.0.0.0/8", "192.0.2.1"], not a text "x")");
  EXPECT_EQ(error("1.5", {.type = Type::integer}), "expected an integer, not a number");
  EXPECT_EQ(error("[1]", {.type = Type::text}), "expected a text that is not empty, not an array");
  EXPECT_THAT(error("\"25 MB\"", {.type = Type::size}), HasSubstr("a size like \"25MiB\""));
  EXPECT_THAT(error("\"often\"", {.type = Type::rate}), HasSubstr("a rate like"));
}

TEST(Value, Ranges) {
  const Shape integer{.type = Type::integer, .least = "1", .most = "10"};
  EXPECT_EQ(again("1", integer), "1");
  EXPECT_EQ(again("10", integer), "10");
  EXPECT_EQ(error("11", integer), "11 is out of range: 1 to 10");
  EXPECT_EQ(error("0", integer), "0 is out of range: 1 to 10");
  EXPECT_EQ(error("-1", integer), "-1 is out of range: 1 to 10");
  EXPECT_THAT(error("-1", {.type = Type::integer}), HasSubstr("out of range"));
  const Shape duration{.type = Type::duration, .least = "1s", .most = "1h"};
  EXPECT_EQ(error(R"("999ms")", duration), R"("999ms" is out of range: 1s to 1h)");
  EXPECT_EQ(again(R"("60m")", duration), R"("1h")");
  const Shape size{.type = Type::size, .least = "1KiB", .most = "4GiB"};
  EXPECT_EQ(error(R"("5GiB")", size), "5GiB is out of range: 1KiB to 4GiB");
  EXPECT_EQ(error("10", size), "10 is out of range: 1KiB to 4GiB");
  const Shape number{.type = Type::number, .least = "-1000", .most = "1000"};
  EXPECT_EQ(error("1000.5", number), "1000.5 is out of range: -1000 to 1000");
  EXPECT_EQ(error("nan", number), "this is out of range: -1000 to 1000");
  EXPECT_EQ(error("inf", {.type = Type::number, .least = "0", .most = "1"}), "this is out of range: 0 to 1");
}

TEST(Value, Words) {
  static constexpr std::array<std::string_view, 2> words{"enforce", "shadow"};
  const Shape shape{.type = Type::word, .words = words};
  EXPECT_EQ(again("\"shadow\"", shape), "\"shadow\"");
  EXPECT_EQ(error("\"shadwo\"", shape), R"(expected one of "enforce", "shadow", not "shadwo"; did you mean "shadow"?)");
}

TEST(Value, AddressesAreLiterals) {
  const Shape shape{.type = Type::address};
  EXPECT_THAT(error("\"localhost:25\"", shape), HasSubstr("host names are not looked up here"));
  EXPECT_THAT(error("\"mx.example.com\"", shape), HasSubstr("host names are not looked up here"));
  EXPECT_THAT(error("\"192.0.2.1\"", shape), HasSubstr("the port is missing"));
  EXPECT_THAT(error("\"192.0.2.1:0\"", shape), HasSubstr("1 to 65535"));
  EXPECT_THAT(error("\"192.0.2.300:25\"", shape), HasSubstr("expected an address like"));
}

TEST(Value, NetworksNameTheCure) {
  EXPECT_EQ(error(R"(["10.0.0.1/8"])", {.type = Type::networks}),
            R"("10.0.0.1/8" has bits set behind its prefix; the network is "10.0.0.0/8")");
}

TEST(Value, RepliesThatAreNeverAHit) {
  const Shape shape{.type = Type::reply_ranges, .least = "1"};
  EXPECT_THAT(error(R"(["127.0.0.1"])", shape), HasSubstr("holds no answer that may count"));
  EXPECT_THAT(error(R"(["192.0.2.1"])", shape), HasSubstr("holds no answer that may count"));
  EXPECT_THAT(error(R"(["x"])", shape), HasSubstr("expected a list of replies"));
  EXPECT_EQ(error("[]", shape), "this list must not be empty");
}

TEST(Value, RatesOfNothing) { EXPECT_THAT(error("\"0/1h\"", {.type = Type::rate}), HasSubstr("or \"off\"")); }

TEST(Value, Certificates) {
  const Shape shape{.type = Type::certificates};
  EXPECT_EQ(again("\"mx1\"", shape), R"([{ chain = "/etc/sp/mx1/fullchain.pem", key = "/etc/sp/mx1/privkey.pem" }])");
  EXPECT_EQ(again(R"({ chain = "a.pem", key = "/k.pem" })", shape), R"([{ chain = "/etc/sp/a.pem", key = "/k.pem" }])");
  EXPECT_EQ(
      again(R"(["ec", { chain = "/r", key = "/s" }])", shape),
      R"([{ chain = "/etc/sp/ec/fullchain.pem", key = "/etc/sp/ec/privkey.pem" }, { chain = "/r", key = "/s" }])");
  EXPECT_THAT(error(R"({ chain = "a.pem" })", shape), HasSubstr("key is missing"));
  EXPECT_THAT(error(R"({ chain = "a", key = "b", kee = "c" })", shape), HasSubstr("unknown key \"kee\""));
  EXPECT_THAT(error(R"({ chain = 1, key = "b" })", shape), HasSubstr("expected a file name"));
  EXPECT_THAT(error("1", shape), HasSubstr("a directory with fullchain.pem"));
}

TEST(Value, EachBadEntryOfAListIsReported) {
  const Read result = read("[\"10.0.0.0/8\",\n \"x\",\n 3]", {.type = Type::networks});
  ASSERT_EQ(result.errors.size(), 2u);
  EXPECT_EQ(result.errors[0].at.to_string(), "f:2:2");
  EXPECT_EQ(result.errors[1].at.to_string(), "f:3:2");
}

TEST(Value, EmptyTextsOnlyWhereTheyMeanNotSet) {
  EXPECT_EQ(again("\"\"", {.type = Type::path, .may_be_empty = true}), "\"\"");
  EXPECT_THAT(error("\"\"", {.type = Type::path}), HasSubstr("expected a path"));
  EXPECT_THAT(error("\"\"", {.type = Type::domain}), HasSubstr("expected a domain name"));
  EXPECT_THAT(error(R"("a\u0000b")", {.type = Type::path}), HasSubstr("expected a path"));
}

TEST(Value, QuotingIsToml) {
  const std::string nasty = "a\"b\\c\n\x7f\x01z";
  const auto document = parse_document("v = " + quote(nasty), "f");
  ASSERT_TRUE(document) << document.error().to_string();
  EXPECT_EQ(document->members[0].value.text, nasty);
}

}  // namespace
}  // namespace sallyport::config
