// The types of settings, read from TOML and written again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <vector>

#include "gateway/config/document.h"
#include "gateway/config/extension_types.h"
#include "gateway/config/settings_table.h"
#include "gateway/settings/value_types.h"
#include "gateway/tls/settings.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::config {
namespace {

using testing::HasSubstr;

namespace type = settings::type;

// The type of a key whose values only its own module knows.
template <class T>
const settings::TypeOf<T>& type_of(std::string_view key) {
  return static_cast<const settings::TypeOf<T>&>(*find_key(key)->row->type);
}

// A type and the bounds of its row.
template <class T>
struct Shape {
  const settings::TypeOf<T>& type;
  settings::Bounds bounds = {};

  Shape(const settings::TypeOf<T>& the_type, settings::Bounds the_bounds = {}) : type(the_type), bounds(the_bounds) {}
};

struct Read {
  std::string toml;  // the value's own way back to text
  ConfigErrors errors;
};

template <class T>
Read read(const std::string& toml, const Shape<T>& shape) {
  const auto document = parse_document("v = " + toml, "f");
  EXPECT_TRUE(document) << toml;
  const Node& node = document->members.at(0).value;
  const std::string directory = "/etc/sp";
  Read result;
  T value{};
  const bool good = shape.type.read(node, {shape.type, shape.bounds, directory, result.errors}, &value);
  EXPECT_EQ(good, result.errors.empty()) << toml;
  if (good) result.toml = shape.type.to_toml(&value);
  // Without a place for the value the errors are the same.
  ConfigErrors without;
  EXPECT_EQ(shape.type.read(node, {shape.type, shape.bounds, directory, without}, nullptr), good);
  EXPECT_EQ(without, result.errors);
  return result;
}

template <class T>
std::string again(const std::string& toml, const Shape<T>& shape) {
  const Read result = read(toml, shape);
  return result.errors.empty() ? result.toml : "error: " + result.errors[0].message;
}
template <class T>
std::string again(const std::string& toml, const settings::TypeOf<T>& type) {
  return again(toml, Shape<T>(type));
}

template <class T>
std::string error(const std::string& toml, const Shape<T>& shape) {
  const Read result = read(toml, shape);
  return result.errors.empty() ? "no error" : result.errors[0].message;
}
template <class T>
std::string error(const std::string& toml, const settings::TypeOf<T>& type) {
  return error(toml, Shape<T>(type));
}

TEST(Value, EveryTypeIsWrittenAsItIsRead) {
  const auto& replies = type_of<std::vector<policies::ReplyRange>>("policy.dnsbl.zones.*.reply");
  EXPECT_EQ(again(R"("sally \"port\"")", type::text), R"("sally \"port\"")");
  EXPECT_EQ(again("true", type::boolean), "true");
  EXPECT_EQ(again("42", type::integer), "42");
  EXPECT_EQ(again("-1.5", type::number), "-1.5");
  EXPECT_EQ(again("8.0", type::number), "8.0");
  EXPECT_EQ(again(R"("250ms")", type::duration), R"("250ms")");
  EXPECT_EQ(again(R"("25MiB")", type::size), R"("25MiB")");
  EXPECT_EQ(again(R"("300/1h burst 50")", type::rate), R"("300/1h burst 50")");
  EXPECT_EQ(again(R"("off")", type::rate), R"("off")");
  EXPECT_EQ(again(R"(["10.0.0.0/8", "2001:db8::/32"])", type::networks), R"(["10.0.0.0/8", "2001:db8::/32"])");
  EXPECT_EQ(again("[]", type::networks), "[]");
  EXPECT_EQ(again(R"("[2001:db8::1]:25")", type::address), R"("[2001:db8::1]:25")");
  EXPECT_EQ(again(R"(["192.0.2.1:25", "192.0.2.2:2525"])", type::servers), R"(["192.0.2.1:25", "192.0.2.2:2525"])");
  EXPECT_EQ(again(R"("mx.example.com")", type::domain), R"("mx.example.com")");
  EXPECT_EQ(again(R"(["example.com", "*.example.com"])", type::domains), R"(["example.com", "*.example.com"])");
  EXPECT_EQ(again(R"("/var/lib/sallyport")", type::path), R"("/var/lib/sallyport")");
  EXPECT_EQ(again(R"(["tenants/*.toml"])", type::globs), R"(["tenants/*.toml"])");
  EXPECT_EQ(again(R"(["127.0.0.2", "127.0.0.4-127.0.0.11"])", replies), R"(["127.0.0.2", "127.0.0.4-127.0.0.11"])");
  EXPECT_EQ(again(R"("journal")", type::log_target), R"("journal")");
  EXPECT_EQ(again(R"("journal:/run/journal")", type::log_target), R"("journal:/run/journal")");
  EXPECT_EQ(again(R"("file:/var/log/sp.log")", type::log_target), R"("file:/var/log/sp.log")");
  std::optional<double> unset;
  EXPECT_EQ(type::score_of_its_own.to_toml(&unset), "");
  EXPECT_EQ(again("-5", type::score_of_its_own), "-5.0");
}

TEST(Value, ForgivingWhereTheMeaningIsClear) {
  EXPECT_EQ(again("8", type::number), "8.0");
  EXPECT_EQ(again("1024", type::size), R"("1KiB")");
  EXPECT_EQ(again(R"("MX.Example.COM")", type::domain), R"("mx.example.com")");
  EXPECT_EQ(again(R"("certs/mx1/")", type::path), R"("/etc/sp/certs/mx1")");
  EXPECT_EQ(again(R"("../x")", type::path), R"("/etc/x")");
  EXPECT_EQ(again(R"("file:sp.log")", type::log_target), R"("file:/etc/sp/sp.log")");
  EXPECT_EQ(again(R"(["192.0.2.1", "2001:db8::1"])", type::name_servers), R"(["192.0.2.1:53", "[2001:db8::1]:53"])");
  EXPECT_EQ(again(R"("192.0.2.1")", type::one_server), R"("192.0.2.1:25")");
  EXPECT_EQ(again(R"(["192.0.2.1"])", type::servers), R"(["192.0.2.1:25"])");
  EXPECT_EQ(
      again(R"(["Mail.Acme.Internal", "mx.test.:2525", "unix:lmtp", "unix:/run/lmtp", "[2001:db8::1]:24", "::1"])",
            type::servers),
      R"(["mail.acme.internal:25", "mx.test:2525", "unix:/etc/sp/lmtp", "unix:/run/lmtp", "[2001:db8::1]:24", )"
      R"("[::1]:25"])");
  EXPECT_EQ(again(R"("localhost:24")", type::one_server), R"("localhost:24")");
}

TEST(Value, WrongTypesSayWhatIsExpected) {
  EXPECT_EQ(error(R"("5 seconds")", type::duration),
            R"(expected a duration like "5s", not a text "5 seconds"; did you mean "5s"?)");
  EXPECT_EQ(error("5", type::duration), R"(expected a duration like "5s", not an integer 5; did you mean "5s"?)");
  EXPECT_EQ(error(R"("yes")", type::boolean), R"(expected true or false, not a text "yes")");
  EXPECT_EQ(error("\"x\"", type::networks),
            R"(expected a list of networks like ["10.0.0.0/8", "192.0.2.1"], not a text "x")");
  EXPECT_EQ(error("1.5", type::integer), "expected an integer, not a number");
  EXPECT_EQ(error("[1]", type::text), "expected a text that is not empty, not an array");
  EXPECT_THAT(error("\"25 MB\"", type::size), HasSubstr("a size like \"25MiB\""));
  EXPECT_THAT(error("\"often\"", type::rate), HasSubstr("a rate like"));
}

TEST(Value, Ranges) {
  const Shape integer(type::integer, {.least = "1", .most = "10"});
  EXPECT_EQ(again("1", integer), "1");
  EXPECT_EQ(again("10", integer), "10");
  EXPECT_EQ(error("11", integer), "11 is out of range: 1 to 10");
  EXPECT_EQ(error("0", integer), "0 is out of range: 1 to 10");
  EXPECT_EQ(error("-1", integer), "-1 is out of range: 1 to 10");
  EXPECT_THAT(error("-1", type::integer), HasSubstr("out of range"));
  const Shape duration(type::duration, {.least = "1s", .most = "1h"});
  EXPECT_EQ(error(R"("999ms")", duration), R"("999ms" is out of range: 1s to 1h)");
  EXPECT_EQ(again(R"("60m")", duration), R"("1h")");
  const Shape size(type::size, {.least = "1KiB", .most = "4GiB"});
  EXPECT_EQ(error(R"("5GiB")", size), "5GiB is out of range: 1KiB to 4GiB");
  EXPECT_EQ(error("10", size), "10 is out of range: 1KiB to 4GiB");
  const Shape number(type::number, {.least = "-1000", .most = "1000"});
  EXPECT_EQ(error("1000.5", number), "1000.5 is out of range: -1000 to 1000");
  EXPECT_EQ(error("nan", number), "this is out of range: -1000 to 1000");
  EXPECT_EQ(error("inf", Shape(type::number, {.least = "0", .most = "1"})), "this is out of range: 0 to 1");
}

TEST(Value, Words) {
  static constexpr std::array<std::string_view, 2> words{"enforce", "shadow"};
  const auto& shape = settings::one_of<words>;
  EXPECT_EQ(again("\"shadow\"", shape), "\"shadow\"");
  EXPECT_EQ(error("\"shadwo\"", shape), R"(expected one of "enforce", "shadow", not "shadwo"; did you mean "shadow"?)");
}

TEST(Value, AddressesAreLiterals) {
  const auto& shape = type::address;
  EXPECT_THAT(error("\"localhost:25\"", shape), HasSubstr("host names are not looked up here"));
  EXPECT_THAT(error("\"mx.example.com\"", shape), HasSubstr("host names are not looked up here"));
  EXPECT_THAT(error("\"192.0.2.1\"", shape), HasSubstr("the port is missing"));
  EXPECT_THAT(error("\"192.0.2.1:0\"", shape), HasSubstr("1 to 65535"));
  EXPECT_THAT(error("\"192.0.2.300:25\"", shape), HasSubstr("expected an address like"));
}

TEST(Value, ServersThatCannotBe) {
  const auto& shape = type::one_server;
  for (const std::string_view text :
       {"192.0.2.300:25", "10.0.0:25", "mail.example:0", "mail.example:65536", "mail.example:smtp", "mail example:25",
        "-mail.example:25", "unix:", "[2001:db8::1:25", "mail.example:25:26", "smtp://mail.example"}) {
    EXPECT_THAT(error(settings::quote(text), shape), HasSubstr("expected a server like")) << text;
  }
  EXPECT_THAT(error("\"192.0.2.1:0\"", shape), HasSubstr("1 to 65535"));
  EXPECT_THAT(error(settings::quote("unix:/" + std::string(107, 'x')), shape), HasSubstr("at most 107 octets"));
}

TEST(Value, ExtensionsOfServers) {
  EXPECT_EQ(again(R"(["chunking", "X-FOO", "8bitmime"])", ehlo_keywords_type), R"(["CHUNKING", "X-FOO", "8BITMIME"])");
  for (const std::string_view text : {R"([""])", R"(["-A"])", R"(["AUTH LOGIN"])", R"(["SIZE\n"])"})
    EXPECT_THAT(error(std::string(text), ehlo_keywords_type), HasSubstr("expected a list of EHLO keywords")) << text;
  EXPECT_EQ(again(R"("common")", offered_extensions_type), R"("common")");
  EXPECT_EQ(again(R"(["8bitmime", "DSN"])", offered_extensions_type), R"(["8BITMIME", "DSN"])");
  EXPECT_EQ(again("[]", offered_extensions_type), "[]") << "nothing at all, whatever the servers have";
  EXPECT_EQ(error(R"(["CHUNKING"])", offered_extensions_type),
            R"("CHUNKING" does not depend on the servers: expected some of 8BITMIME, SMTPUTF8, DSN, REQUIRETLS)");
  EXPECT_THAT(error(R"("all")", offered_extensions_type), HasSubstr(R"(expected "common" or a list like)"));
}

TEST(Value, NetworksNameTheCure) {
  EXPECT_EQ(error(R"(["10.0.0.1/8"])", type::networks),
            R"("10.0.0.1/8" has bits set behind its prefix; the network is "10.0.0.0/8")");
}

TEST(Value, RepliesThatAreNeverAHit) {
  const Shape shape(type_of<std::vector<policies::ReplyRange>>("policy.dnsbl.zones.*.reply"), {.least = "1"});
  EXPECT_THAT(error(R"(["127.0.0.1"])", shape), HasSubstr("holds no answer that may count"));
  EXPECT_THAT(error(R"(["192.0.2.1"])", shape), HasSubstr("holds no answer that may count"));
  EXPECT_THAT(error(R"(["x"])", shape), HasSubstr("expected a list of replies"));
  EXPECT_EQ(error("[]", shape), "this list must not be empty");
}

TEST(Value, RatesOfNothing) { EXPECT_THAT(error("\"0/1h\"", type::rate), HasSubstr("or \"off\"")); }

TEST(Value, Certificates) {
  const auto& shape = type_of<std::vector<tls::CertificateFiles>>("tls.cert");
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
  const Read result = read("[\"10.0.0.0/8\",\n \"x\",\n 3]", Shape(type::networks));
  ASSERT_EQ(result.errors.size(), 2u);
  EXPECT_EQ(result.errors[0].at.to_string(), "f:2:2");
  EXPECT_EQ(result.errors[1].at.to_string(), "f:3:2");
}

TEST(Value, EmptyTextsOnlyWhereTheyMeanNotSet) {
  EXPECT_EQ(again("\"\"", Shape(type::path, {.may_be_empty = true})), "\"\"");
  EXPECT_THAT(error("\"\"", type::path), HasSubstr("expected a path"));
  EXPECT_THAT(error("\"\"", type::domain), HasSubstr("expected a domain name"));
  EXPECT_THAT(error(R"("a\u0000b")", type::path), HasSubstr("expected a path"));
}

TEST(Value, QuotingIsToml) {
  const std::string nasty = "a\"b\\c\n\x7f\x01z";
  const auto document = parse_document("v = " + quote(nasty), "f");
  ASSERT_TRUE(document) << document.error().to_string();
  EXPECT_EQ(document->members[0].value.text, nasty);
}

}  // namespace
}  // namespace sallyport::config
