// The precedence of load.h, held against a plain model of it, over configurations made at random: what counts for all
// and for each tenant, and that a configuration which is shown and read again is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "gateway/config/diff.h"
#include "gateway/config/document.h"
#include "gateway/config/explain.h"
#include "policies/dnsbl/settings.h"
#include "policies/rdns/settings.h"
#include "policies/spf/settings.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

const std::vector<std::string> prefixes{"", "tenants.a.", "tenants.b."};
const std::vector<std::string> zones{"x.example", "y.example", "z.example"};

std::string zone_key(const std::string& zone, const std::string& key) {
  return "policy.dnsbl.zones.\"" + zone + "\"." + key;
}

// Keys as they are given, and what the model makes of them.
class Given {
 public:
  explicit Given(std::mt19937& random) {
    const auto maybe = [&](const std::string& key, const std::string& toml) {
      if (random() % 3 == 0) keys_[key] = toml;
    };
    const auto mode = [&] { return quote(words_of<policies::Mode>[random() % 3]); };
    for (const std::string& prefix : prefixes) {
      maybe(prefix + "policy.mode", mode());
      maybe(prefix + "policy.spf.mode", mode());
      maybe(prefix + "policy.rdns.mode", mode());
      maybe(prefix + "policy.dnsbl.score", std::to_string(random() % 50) + ".0");
      for (const std::string& zone : zones) {
        maybe(prefix + zone_key(zone, "score"), std::to_string(random() % 50 + 50) + ".0");
        maybe(prefix + zone_key(zone, "self_test"), "true");
      }
    }
  }

  // In an order that means nothing.
  std::string text(std::mt19937& random) const {
    std::vector<std::string> lines;
    for (const auto& [key, toml] : keys_) lines.push_back(key + " = " + toml + "\n");
    std::shuffle(lines.begin(), lines.end(), random);
    std::string text = "hostname = \"mx.example\"\nupstream = \"10.0.0.5:25\"\n";
    for (const char* tenant : {"a", "b"})
      text += std::string("tenants.") + tenant + ".domains = [\"" + tenant + ".example\"]\n";
    for (const std::string& line : lines) text += line;
    return text;
  }

  bool has(const std::string& key) const { return keys_.contains(key); }

  // The first of these that was given, else the default.
  std::string first(const std::vector<std::string>& keys, const std::string& by_default) const {
    for (const std::string& key : keys)
      if (const auto found = keys_.find(key); found != keys_.end()) return found->second;
    return by_default;
  }
  std::string mode(const std::string& prefix, const std::string& policy, const std::string& by_default) const {
    const std::string own = "policy." + policy + ".mode";
    return first({prefix + own, prefix + "policy.mode", own, "policy.mode"}, by_default);
  }
  bool has_zone(const std::string& prefix, const std::string& zone) const {
    const auto named = [&](const std::string& where) {
      return has(where + zone_key(zone, "score")) || has(where + zone_key(zone, "self_test"));
    };
    return named("") || named(prefix);
  }
  double score(const std::string& prefix, const std::string& zone) const {
    const std::string own = zone_key(zone, "score");
    return std::stod(first({prefix + own, own, prefix + "policy.dnsbl.score", "policy.dnsbl.score"}, "1.0"));
  }

 private:
  std::map<std::string, std::string> keys_;
};

void compare(const Given& given, const std::string& prefix, const settings::Set& policy) {
  EXPECT_EQ(quote(word(policy.of(policies::spf_section).mode)), given.mode(prefix, "spf", "\"enforce\"")) << prefix;
  EXPECT_EQ(quote(word(policy.of(policies::rdns_section).mode)), given.mode(prefix, "rdns", "\"off\"")) << prefix;
  const policies::DnsblSettings& dnsbl = policy.of(policies::dnsbl_section);
  for (const std::string& zone : zones) {
    ASSERT_EQ(dnsbl.zones.contains(zone), given.has_zone(prefix, zone)) << prefix << zone;
    if (!dnsbl.zones.contains(zone)) continue;
    EXPECT_EQ(dnsbl.zones.at(zone).score.value_or(dnsbl.score), given.score(prefix, zone)) << prefix << zone;
  }
}

TEST(Precedence, AsTheModelHasIt) {
  std::mt19937 random(7);
  for (int i = 0; i < 50 && !testing::Test::HasFailure(); ++i) {
    const Given given(random);
    const std::string text = given.text(random);
    SCOPED_TRACE(text);
    const Outcome outcome = load_text(text);
    ASSERT_TRUE(outcome.errors.empty()) << outcome.errors[0].to_string();
    const Settings& settings = *outcome.loaded.settings;
    compare(given, "", settings.policy);
    compare(given, "tenants.a.", settings.tenants.at("a").policy);
    compare(given, "tenants.b.", settings.tenants.at("b").policy);

    const Outcome again = load_text(show(outcome.loaded));
    ASSERT_TRUE(again.errors.empty()) << again.errors[0].to_string();
    EXPECT_EQ(again.loaded.hash, outcome.loaded.hash);
    EXPECT_EQ(to_text(changes(effective_values(outcome.loaded), effective_values(again.loaded))), "");
    EXPECT_EQ(load_text(given.text(random)).loaded.hash, outcome.loaded.hash);
  }
}

}  // namespace
}  // namespace sallyport::config
