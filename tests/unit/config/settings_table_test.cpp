#include "gateway/config/settings_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gateway/config/document.h"
#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

TEST(SettingsTable, EveryKeyIsThereOnceAndExplained) {
  std::set<std::string_view> paths;
  for (const Key& key : settings_table()) {
    const settings::Options& options = key.row->options;
    EXPECT_TRUE(paths.insert(key.path).second) << key.path << " twice";
    EXPECT_EQ(find_key(key.path), &key);
    EXPECT_TRUE(key.row->doc.ends_with('.')) << key.path;
    EXPECT_TRUE(options.least.empty() || options.most.empty() || options.least != options.most) << key.path;
    // Read in the order of the table, what it falls back to is settled first.
    const std::string_view fallback = options.falls_back_to.key;
    if (!fallback.empty()) EXPECT_TRUE(paths.contains(fallback) && key.is_effective()) << key.path;
    EXPECT_EQ(key.row->has_member(), options.stands_for.empty()) << key.path;
  }
  for (const Key& key : settings_table()) {
    const std::string_view meant = key.row->options.stands_for;
    if (!meant.empty()) EXPECT_TRUE(paths.contains(meant)) << key.path;
  }
  EXPECT_EQ(find_key("policy.none"), nullptr);
}

TEST(SettingsTable, EveryPolicyHasAModeThatFallsBackToThatOfAll) {
  std::size_t modes = 0;
  for (const Key& key : settings_table()) {
    // A part of a policy, such as one rule, may have a mode beside that of the policy.
    if (!key.is_policy() || key.row->key != "mode" || key.path == "policy.mode") continue;
    EXPECT_EQ(key.falls_back_to().key, "policy.mode") << key.path;
    EXPECT_TRUE(key.falls_back_to().tenant_first) << key.path;
    ++modes;
  }
  // All sections but policy.mode itself, policy.actions, and policy.milters, each of which has a mode of its own.
  EXPECT_EQ(modes, policies::policy_sections().size() - 3);
}

TEST(SettingsTable, CollectionsHaveKeys) {
  for (const Collection& collection : collections()) {
    const bool is_used = std::any_of(settings_table().begin(), settings_table().end(),
                                     [&](const Key& key) { return key.path.starts_with(collection.path + "."); });
    EXPECT_TRUE(is_used) << collection.path;
  }
}

// A default is written in no other place than the struct; bounds, and what the key falls back to, must let it pass.
TEST(SettingsTable, DefaultsAreValuesOfTheirKeys) {
  for (const Key& key : settings_table()) {
    if (!key.by_default) continue;
    const auto document = parse_document("value = " + *key.by_default, "f");
    ASSERT_TRUE(document) << key.path;
    ConfigErrors errors;
    EXPECT_TRUE(key.read(document->members[0].value, "/", nullptr, errors)) << key.path;
    for (const ConfigError& error : errors) ADD_FAILURE() << key.path << ": " << error.message;
  }
}

TEST(SettingsTable, EveryEnumerationReadsAndWritesItsWords) {
  std::size_t compared = 0;
  for (const Key& key : settings_table()) {
    for (const std::string_view word : key.row->type->words) {
      const auto document = parse_document("value = " + quote(word), "f");
      ASSERT_TRUE(document);
      Settings settings;
      ConfigErrors errors;
      void* member = key.member(settings, Places(key.places, Place(std::string("a"))));
      if (!key.row->has_member() || key.row->options.while_loading) continue;
      ASSERT_TRUE(key.read(document->members[0].value, "/", member, errors)) << key.path;
      EXPECT_EQ(key.row->type->to_toml(member), quote(word)) << key.path;
      ++compared;
    }
  }
  EXPECT_GT(compared, 50u);
}

TEST(KeyPath, NamesAreQuotedWhereTomlWantsIt) {
  EXPECT_EQ(full_path("tls.sni.*.cert", {Place(std::string("mx.example"))}), "tls.sni.\"mx.example\".cert");
  EXPECT_EQ(full_path("upstreams.*.tls", {Place(std::string("exchange"))}), "upstreams.exchange.tls");
  EXPECT_EQ(full_path("listen[].address", {3}), "listen[3].address");
  EXPECT_EQ(full_path("policy.dnsbl.zones.*.score", {Place(std::string("zen.example"))}),
            "policy.dnsbl.zones.\"zen.example\".score");
  EXPECT_EQ(full_path("upstreams.*.tls", {}), "upstreams.*");
  EXPECT_EQ(full_path("listen[].address", {}), "listen[]");
  EXPECT_EQ(full_path("limits.hops", {}), "limits.hops");
  EXPECT_EQ(tenant_prefix("acme"), "tenants.acme.");
  EXPECT_EQ(tenant_prefix("acme.example"), "tenants.\"acme.example\".");
  EXPECT_EQ(tenant_prefix(""), "");
}

TEST(KeyPath, SplitsWhatPeopleType) {
  EXPECT_EQ(split_path("limits.hops"), (std::vector<std::string>{"limits", "hops"}));
  EXPECT_EQ(split_path("tls.sni.\"a.b\".cert"), (std::vector<std::string>{"tls", "sni", "a.b", "cert"}));
  EXPECT_EQ(split_path("x.'a.b'"), (std::vector<std::string>{"x", "a.b"}));
  EXPECT_EQ(split_path("x.\"a"), std::nullopt);
  EXPECT_EQ(split_path(""), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace sallyport::config
