#include "gateway/config/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string rich = minimal + R"([[listen]]
address = "127.0.0.1:25"
[[listen]]
address = "127.0.0.1:26"
[tls]
cert = ["a", "b"]
sni."mx.acme.example".cert = "c"
[policy.dnsbl.zones."zen.dnsbl.example"]
score = 8.0
[upstreams.other]
servers = ["192.0.2.1:25"]
)";

Loaded rich_configuration() {
  Outcome outcome = load_text(rich);
  for (const ConfigError& error : outcome.errors) ADD_FAILURE() << error.to_string();
  return std::move(outcome.loaded);
}

TEST(Show, ReadAgainItIsTheSameConfiguration) {
  const Loaded loaded = rich_configuration();
  const std::string shown = show(loaded);
  const Outcome again = load_text(shown);
  for (const ConfigError& error : again.errors) ADD_FAILURE() << error.to_string();
  EXPECT_EQ(again.loaded.hash, loaded.hash) << shown;
}

TEST(Show, NamesTheOrigin) {
  const std::string shown = show(rich_configuration());
  EXPECT_THAT(shown, testing::ContainsRegex("hostname = \"mx1.example.com\" +# /etc/m.toml:1:1\n"));
  EXPECT_THAT(shown, testing::ContainsRegex("hops = 100 +# default\n"));
  EXPECT_THAT(shown, HasSubstr("\n[tls.sni.\"mx.acme.example\"]\n"));
}

TEST(Show, JsonForPrograms) {
  const auto json = nlohmann::json::parse(show_json(rich_configuration()));
  EXPECT_EQ(json["limits.hops"]["value"], 100);
  EXPECT_EQ(json["limits.hops"]["origin"], "default");
  EXPECT_EQ(json["upstreams.default.servers"]["value"][0], "10.0.0.5:25");
  EXPECT_EQ(json["listen[1].address"]["value"], "127.0.0.1:26");
  EXPECT_EQ(json["tls.cert"]["value"][1]["key"], "/etc/b/privkey.pem");
}

TEST(Report, JsonForPrograms) {
  const ConfigErrors errors{{{"a.toml", 3, 7}, "wrong"}};
  const auto json = nlohmann::json::parse(report_json("a.toml", errors, {}, {1, 2, 3, 4}));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["errors"][0]["line"], 3);
  EXPECT_EQ(json["errors"][0]["message"], "wrong");
  EXPECT_EQ(nlohmann::json::parse(report_json("a.toml", {}, errors, {}))["ok"], true);
}

TEST(Explain, AKey) {
  const Loaded loaded = rich_configuration();
  const auto text = explain("limits.message_size", &loaded);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text,
            "limits.message_size\n"
            "    The largest message; announced with SIZE, refused with 552 5.3.4.\n"
            "type     size: a size like \"25MiB\"\n"
            "default  \"50MiB\"\n"
            "range    1KiB to 4GiB\n"
            "reload   new connections\n"
            "value    limits.message_size = \"50MiB\"  (default)\n");
}

TEST(Explain, WithoutAConfiguration) {
  const auto text = explain("hostname", nullptr);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("none: it must be given"));
  EXPECT_THAT(*text, Not(HasSubstr("value")));
}

TEST(Explain, OneInstanceOrAll) {
  const Loaded loaded = rich_configuration();
  const auto one = explain("upstreams.other.servers", &loaded);
  ASSERT_TRUE(one);
  EXPECT_THAT(*one, HasSubstr("value    upstreams.other.servers = [\"192.0.2.1:25\"]"));
  EXPECT_THAT(*one, Not(HasSubstr("10.0.0.5")));
  const auto all = explain("upstreams.*.servers", &loaded);
  ASSERT_TRUE(all);
  EXPECT_THAT(*all, HasSubstr("10.0.0.5"));
  EXPECT_THAT(*all, HasSubstr("192.0.2.1"));
  for (const char* path : {"listen.address", "listen[].address"}) {
    const auto listeners = explain(path, &loaded);
    ASSERT_TRUE(listeners) << path;
    EXPECT_THAT(*listeners, HasSubstr("listen[0].address"));
    EXPECT_THAT(*listeners, HasSubstr("listen[1].address"));
  }
  const auto second = explain("listen[1].address", &loaded);
  ASSERT_TRUE(second);
  EXPECT_THAT(*second, Not(HasSubstr("listen[0].address")));
  const auto zone = explain("policy.dnsbl.zones.\"zen.dnsbl.example\".score", &loaded);
  ASSERT_TRUE(zone);
  EXPECT_THAT(*zone, HasSubstr("score = 8.0  (/etc/m.toml:"));
}

TEST(Explain, ShortFormsShowWhatTheySet) {
  const Loaded loaded = rich_configuration();
  const auto text = explain("upstream", &loaded);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("short    for upstreams.default.servers"));
  EXPECT_THAT(*text, HasSubstr("value    upstreams.default.servers = [\"10.0.0.5:25\"]"));
  EXPECT_THAT(*text, Not(HasSubstr("192.0.2.1:25\"]  (")));
}

TEST(Explain, ASection) {
  const auto text = explain("timeouts", nullptr);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("timeouts.drain\n"));
  EXPECT_THAT(*text, Not(HasSubstr("limits.")));
}

TEST(Explain, UnknownKeys) {
  const auto near = explain("limits.mesage_size", nullptr);
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error().message, "unknown key \"mesage_size\" in limits; did you mean \"message_size\"?");
  EXPECT_FALSE(explain("", nullptr));
  EXPECT_FALSE(explain("hostname.more", nullptr));
  EXPECT_FALSE(explain("x.\"y", nullptr));
}

// Follows a path through the schema, as a validator would for a document.
TEST(Schema, DescribesTheTable) {
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], nlohmann::json({"hostname"}));
  const auto& properties = schema["properties"];
  EXPECT_EQ(properties["limits"]["properties"]["hops"]["default"], 100);
  EXPECT_EQ(properties["limits"]["properties"]["hops"]["minimum"], 1);
  EXPECT_EQ(properties["limits"]["additionalProperties"], false);
  EXPECT_EQ(properties["listen"]["type"], "array");
  EXPECT_EQ(properties["listen"]["items"]["properties"]["tls"]["enum"],
            nlohmann::json({"off", "starttls", "implicit"}));
  EXPECT_EQ(properties["upstreams"]["additionalProperties"]["properties"]["balance"]["default"], "least-sessions");
  // Once for all and for each tenant.
  const nlohmann::json reference{{"$ref", "#/$defs/policy"}};
  EXPECT_EQ(properties["policy"], reference);
  EXPECT_EQ(properties["tenants"]["additionalProperties"]["properties"]["policy"], reference);
  const auto& policy = schema["$defs"]["policy"]["properties"];
  EXPECT_EQ(policy["spf"]["properties"]["on_fail"]["enum"], nlohmann::json({"none", "score", "tempfail", "reject"}));
  EXPECT_EQ(policy["dnsbl"]["properties"]["zones"]["additionalProperties"]["properties"]["score"]["minimum"], -1000);
  EXPECT_EQ(properties["tls"]["properties"]["sni"]["additionalProperties"]["properties"].contains("cert"), true);
}

}  // namespace
}  // namespace sallyport::config
