#include "gateway/config/settings_table.h"

#include <gtest/gtest.h>

#include <set>

#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

TEST(SettingsTable, EveryKeyIsThereOnceAndExplained) {
  std::set<std::string_view> paths;
  for (const Key& key : settings_table()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path << " twice";
    EXPECT_TRUE(key.doc.ends_with('.')) << key.path;
    EXPECT_TRUE(key.least.empty() || key.most.empty() || key.least != key.most) << key.path;
    if (key.type == Type::word) EXPECT_FALSE(key.shape().words.empty()) << key.path;
    if (!key.falls_back_to.empty()) EXPECT_TRUE(key.field.exists()) << key.path;
  }
  for (const Key& key : settings_table()) {
    if (!key.falls_back_to.empty()) EXPECT_TRUE(paths.contains(key.falls_back_to)) << key.path;
    if (!key.stands_for.empty()) EXPECT_TRUE(paths.contains(key.stands_for)) << key.path;
  }
}

TEST(SettingsTable, CollectionsHaveKeys) {
  std::set<std::string_view> used;
  for (const Key& key : settings_table()) used.insert(collection_of(key.path));
  for (const Collection& collection : collections()) EXPECT_TRUE(used.contains(collection.path)) << collection.path;
}

// Code that makes its own Settings, tests above all, must get what an empty configuration gives.
TEST(SettingsTable, DefaultsAreThoseOfTheStructs) {
  const Outcome outcome = load_text(minimal + "[upstreams.other]\nservers = [\"192.0.2.1:25\"]\n");
  ASSERT_TRUE(outcome.errors.empty()) << outcome.errors[0].to_string();
  // Resolved from elsewhere: the system, what an empty list stands for, the name of another table.
  const std::set<std::string_view> elsewhere{"dns.servers", "policy.dnsbl.zones.*.reply", "tenants.*.upstream"};
  std::size_t compared = 0;
  for (const Effective& value : outcome.loaded.values) {
    if (!value.origin.is_default() || elsewhere.contains(value.key->path)) continue;
    Settings fresh;
    const Value of_struct = value.key->field.read(fresh, value.which);
    EXPECT_EQ(to_toml(of_struct, value.key->type), value.toml) << value.path;
    ++compared;
  }
  EXPECT_GT(compared, 60u);
}

TEST(SettingsTable, EveryFieldReadsBackWhatWasWritten) {
  for (const Key& key : settings_table()) {
    if (!key.field.exists() || key.shape().words.empty()) continue;
    for (const std::string_view word : key.shape().words) {
      Settings settings;
      key.field.write(settings, {"a", 0}, std::string(word));
      EXPECT_EQ(std::get<std::string>(key.field.read(settings, {"a", 0})), word) << key.path;
    }
  }
}

TEST(KeyPath, NamesAreQuotedWhereTomlWantsIt) {
  EXPECT_EQ(full_path("tls.sni.*.cert", {"mx.example", 0}), "tls.sni.\"mx.example\".cert");
  EXPECT_EQ(full_path("upstreams.*.tls", {"exchange", 0}), "upstreams.exchange.tls");
  EXPECT_EQ(full_path("listen[].address", {{}, 3}), "listen[3].address");
  EXPECT_EQ(collection_of("upstreams.*.tls"), "upstreams.*");
  EXPECT_EQ(collection_of("listen[].address"), "listen[]");
  EXPECT_EQ(collection_of("limits.hops"), "");
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
