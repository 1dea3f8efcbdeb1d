// Several tenants, and what each overrides of the policies' settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/explain.h"
#include "lua/engine/settings.h"
#include "policies/api/actions.h"
#include "policies/arc/settings.h"
#include "policies/dmarc/settings.h"
#include "policies/dnsbl/settings.h"
#include "policies/helo/settings.h"
#include "policies/rdns/settings.h"
#include "policies/spf/settings.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using policies::Mode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const std::string two_tenants =
    "hostname = \"mx1.msp.example\"\n"
    "[upstreams.exchange]\n"
    "servers = [\"10.1.0.5:25\"]\n"
    "[tenants.acme]\n"
    "domains = [\"acme.example\", \"*.acme.example\"]\n"
    "upstream = \"exchange\"\n"
    "[tenants.bolt]\n"
    "domains = [\"bolt.example\"]\n"
    "upstream = \"exchange\"\n";

Loaded good(const std::string& text) {
  Outcome outcome = load_text(text);
  for (const ConfigError& error : outcome.errors) ADD_FAILURE() << error.to_string();
  return std::move(outcome.loaded);
}

template <class S>
const S& of(const Loaded& loaded, const std::string& tenant, const settings::SectionOf<S>& section) {
  return loaded.settings->tenants.at(tenant).policy.of(section);
}

// "policy.spf.mode = ..." of the tenants' overrides.
std::vector<std::string> overrides(const Loaded& loaded) {
  std::vector<std::string> list;
  for (const Effective& value : loaded.values)
    if (!value.tenant.empty()) list.push_back(value.path + " = " + value.toml);
  return list;
}

TEST(Tenants, NamedOnesNeedNoDefault) {
  const Loaded loaded = good(two_tenants);
  ASSERT_EQ(loaded.settings->tenants.size(), 2u);
  EXPECT_EQ(loaded.settings->tenants.at("acme").domains.size(), 2u);
  EXPECT_EQ(loaded.settings->tenants.at("bolt").upstream, "exchange");
  EXPECT_THAT(overrides(loaded), IsEmpty());
}

TEST(Tenants, DomainsIsOneMore) {
  const Loaded loaded = good("domains = [\"example.com\"]\nupstream = \"10.0.0.5:25\"\n" + two_tenants);
  ASSERT_EQ(loaded.settings->tenants.size(), 3u);
  EXPECT_EQ(loaded.settings->tenants.at("default").domains, std::vector<std::string>{"example.com"});
}

TEST(Tenants, EachDomainBelongsToOne) {
  EXPECT_THAT(errors_of(two_tenants + "[tenants.cask]\ndomains = [\"cask.example\", \"BOLT.example\"]\nupstream = "
                                      "\"exchange\"\n"),
              ElementsAre("/etc/m.toml:11:28: error: bolt.example is already one of tenants.bolt.domains, at "
                          "/etc/m.toml:8:12: each domain belongs to one tenant"));
  // The short form under its own name; whoever comes later in the file is reported, whatever the tenants are called.
  EXPECT_THAT(errors_of("domains = [\"acme.example\"]\nupstream = \"10.0.0.5:25\"\n" + two_tenants),
              ElementsAre("/etc/m.toml:7:12: error: acme.example is already one of domains, at /etc/m.toml:1:12: each "
                          "domain belongs to one tenant"));
  // A pattern and a name below it may belong to two.
  EXPECT_THAT(errors_of(two_tenants + "[tenants.cask]\ndomains = [\"sub.acme.example\"]\nupstream = \"exchange\"\n"),
              IsEmpty());
}

// S42: kept as A-labels, whichever way it is written; so a domain in both forms is one domain.
TEST(Tenants, TakeDomainsInUnicode) {
  const Loaded loaded = good(
      "hostname = \"mx.example.com\"\n"
      "domains = [\"\u017b\u00f3\u0142w.Example\", \"*.b\u00fccher.example\", \"example.com.\"]\n"
      "upstream = \"10.0.0.5:25\"\n");
  EXPECT_EQ(loaded.settings->tenants.at("default").domains,
            (std::vector<std::string>{"xn--w-uga1v8h.example", "*.xn--bcher-kva.example", "example.com"}));
  EXPECT_THAT(
      errors_of(two_tenants + "[tenants.cask]\ndomains = [\"b\u00fccher.example\"]\nupstream = \"exchange\"\n"
                              "[tenants.dyer]\ndomains = [\"xn--BCHER-kva.example\"]\nupstream = \"exchange\"\n"),
      ElementsAre(HasSubstr("xn--bcher-kva.example is already one of tenants.cask.domains")));
  EXPECT_THAT(
      errors_of("hostname = \"mx.example.com\"\ndomains = [\"b\u00fc..example\"]\nupstream = \"10.0.0.5:25\"\n"),
      ElementsAre(HasSubstr("expected a list of domains")));
}

TEST(Tenants, WhatEachMustHave) {
  EXPECT_THAT(errors_of(two_tenants + "[tenants.cask]\nupstream = \"exchange\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:10:10: error: tenants.cask.domains is required")));
  EXPECT_THAT(errors_of(two_tenants + "[tenants.cask]\ndomains = [\"cask.example\"]\n"),
              ElementsAre("/etc/m.toml:11:1: error: there is no upstream named \"default\": set tenants.cask.upstream "
                          "to one of exchange"));
  EXPECT_THAT(errors_of(two_tenants + "[tenants.cask]\ndomains = [\"cask.example\"]\nupstream = \"exchagne\"\n"),
              ElementsAre("/etc/m.toml:12:1: error: there is no upstream named \"exchagne\"; did you mean "
                          "\"exchange\"?"));
}

TEST(Overrides, CountForTheirTenantAlone) {
  const Loaded loaded = good(two_tenants +
                             "[policy.spf]\n"
                             "score = 3.0\n"
                             "[tenants.acme.policy.spf]\n"
                             "on_fail = \"reject\"\n"
                             "[tenants.acme.policy]\n"
                             "actions.reject = 12.0\n"
                             "rules.path = \"acme/rules\"\n");
  EXPECT_EQ(loaded.settings->policy.of(policies::spf_section).on_fail, policies::SpfAction::score);
  EXPECT_EQ(of(loaded, "bolt", policies::spf_section).on_fail, policies::SpfAction::score);
  EXPECT_EQ(of(loaded, "acme", policies::spf_section).on_fail, policies::SpfAction::reject);
  EXPECT_EQ(of(loaded, "acme", policies::spf_section).score, 3.0);  // as for all
  EXPECT_EQ(of(loaded, "acme", policies::actions_section).reject, 12.0);
  EXPECT_EQ(of(loaded, "acme", lua::rules_section).path, "/etc/acme/rules");
  EXPECT_THAT(overrides(loaded), ElementsAre("tenants.acme.policy.spf.on_fail = \"reject\"",
                                             "tenants.acme.policy.rules.path = \"/etc/acme/rules\"",
                                             "tenants.acme.policy.actions.reject = 12.0"));
  EXPECT_EQ(loaded.origin_of("tenants.acme.policy.spf.on_fail").to_string(), "/etc/m.toml:13:1");
  EXPECT_EQ(loaded.origin_of("tenants.acme.policy.spf.score").to_string(), "/etc/m.toml:11:1");
  EXPECT_EQ(loaded.origin_of("tenants.bolt.policy.spf.on_fail").to_string(), "default");

  // What nobody overrides is one struct, not one for each tenant.
  const void* shared = &loaded.settings->policy.of(policies::helo_section);
  EXPECT_EQ(&of(loaded, "acme", policies::helo_section), shared);
  EXPECT_EQ(&of(loaded, "bolt", policies::helo_section), shared);
  EXPECT_EQ(&of(loaded, "bolt", policies::spf_section), &loaded.settings->policy.of(policies::spf_section));
  EXPECT_NE(&of(loaded, "acme", policies::spf_section), &loaded.settings->policy.of(policies::spf_section));
}

TEST(Overrides, PolicyOfSettingsThatNoFileWasLoadedInto) {
  Settings settings;
  settings.policy.edit(policies::spf_section).score = 7;
  TenantSettings tenant;
  EXPECT_EQ(policy_of(settings, tenant).of(policies::spf_section).score, 7);
  const Loaded loaded = good(two_tenants + "[tenants.acme.policy.spf]\nscore = 4\n");
  EXPECT_EQ(policy_of(*loaded.settings, loaded.settings->tenants.at("acme")).of(policies::spf_section).score, 4);
}

// contract.md, section 3: tenants.T.policy.X.mode, tenants.T.policy.mode, policy.X.mode, policy.mode, X's own default.
TEST(Overrides, TheMostSpecificModeWins) {
  const std::string all = two_tenants +
                          "[policy]\n"
                          "mode = \"shadow\"\n"
                          "helo.mode = \"enforce\"\n";
  const Loaded first = good(all + "[tenants.acme.policy]\nmode = \"off\"\nspf.mode = \"enforce\"\n");
  EXPECT_EQ(of(first, "acme", policies::spf_section).mode, Mode::enforce);
  EXPECT_EQ(of(first, "acme", policies::helo_section).mode, Mode::off);
  EXPECT_EQ(of(first, "acme", policies::rdns_section).mode, Mode::off);
  EXPECT_EQ(of(first, "acme", lua::rules_section).mode, Mode::off);
  EXPECT_EQ(of(first, "bolt", policies::helo_section).mode, Mode::enforce);
  EXPECT_EQ(of(first, "bolt", policies::spf_section).mode, Mode::shadow);
  EXPECT_EQ(first.origin_of("tenants.acme.policy.helo.mode").to_string(), "/etc/m.toml:14:1");

  const Loaded second = good(two_tenants + "[tenants.acme.policy]\nmode = \"shadow\"\n");
  EXPECT_EQ(of(second, "acme", policies::rdns_section).mode, Mode::shadow);
  EXPECT_EQ(of(second, "bolt", policies::rdns_section).mode, Mode::off);
  EXPECT_EQ(second.settings->policy.of(policies::spf_section).mode, Mode::enforce);
}

TEST(Overrides, ZonesAreAddedAndChanged) {
  const Loaded loaded = good(two_tenants +
                             "[policy.dnsbl]\n"
                             "zones.\"zen.example\".score = 8.0\n"
                             "zones.\"zen.example\".reply = [\"127.0.0.2\"]\n"
                             "[tenants.acme.policy.dnsbl]\n"
                             "zones.\"zen.example\".score = 2.0\n"
                             "zones.\"Own.example\".self_test = true\n"
                             "zones.\"bare.example\" = {}\n");
  const auto& all = loaded.settings->policy.of(policies::dnsbl_section).zones;
  EXPECT_EQ(all.size(), 1u);
  EXPECT_EQ(all.at("zen.example").score, 8.0);
  const auto& own = of(loaded, "acme", policies::dnsbl_section).zones;
  ASSERT_EQ(own.size(), 3u);
  EXPECT_EQ(own.at("zen.example").score, 2.0);
  EXPECT_EQ(own.at("zen.example").reply.size(), 1u);
  EXPECT_EQ(own.at("zen.example").reply, all.at("zen.example").reply);
  EXPECT_EQ(own.at("own.example").self_test, policies::SelfTest::on);
  EXPECT_TRUE(own.contains("bare.example"));
  EXPECT_EQ(of(loaded, "bolt", policies::dnsbl_section).zones.size(), 1u);
  // All keys of a name that only this tenant has.
  EXPECT_THAT(overrides(loaded),
              UnorderedElementsAre("tenants.acme.policy.dnsbl.zones.\"zen.example\".score = 2.0",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".score = 1.0",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".reply = "
                                   "[\"127.0.0.2-127.0.0.254\"]",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".self_test = \"on\"",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".codes = {}",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".name = \"\"",
                                   "tenants.acme.policy.dnsbl.zones.\"own.example\".text = \"\"",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".score = 1.0",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".reply = "
                                   "[\"127.0.0.2-127.0.0.254\"]",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".self_test = \"auto\"",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".codes = {}",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".name = \"\"",
                                   "tenants.acme.policy.dnsbl.zones.\"bare.example\".text = \"\""));
}

// tenants.T...zones.Z.score, policy...zones.Z.score, tenants.T.policy.dnsbl.score, policy.dnsbl.score.
TEST(Overrides, AScoreForListsWithoutOneSaysNothingOfOthers) {
  const std::string lists = two_tenants +
                            "[policy.dnsbl]\n"
                            "zones.\"white.example\".score = -5.0\n"
                            "zones.\"plain.example\" = {}\n"
                            "zones.\"mine.example\" = {}\n";
  const Loaded loaded = good(lists +
                             "[tenants.acme.policy.dnsbl]\n"
                             "score = 3.0\n"
                             "zones.\"mine.example\".score = 4.0\n"
                             "zones.\"own.example\" = {}\n");
  const auto& zones = of(loaded, "acme", policies::dnsbl_section).zones;
  EXPECT_EQ(zones.at("white.example").score, -5.0);
  EXPECT_EQ(zones.at("plain.example").score, 3.0);
  EXPECT_EQ(zones.at("mine.example").score, 4.0);
  EXPECT_EQ(zones.at("own.example").score, 3.0);
  EXPECT_EQ(of(loaded, "bolt", policies::dnsbl_section).zones.at("plain.example").score, std::nullopt);

  const Loaded general = good(lists + "score = 2.0\n[tenants.acme.policy.dnsbl.zones.\"own.example\"]\n");
  EXPECT_EQ(of(general, "acme", policies::dnsbl_section).zones.at("own.example").score, 2.0);
  EXPECT_EQ(of(general, "bolt", policies::dnsbl_section).zones.at("plain.example").score, 2.0);
}

TEST(Overrides, MistakesAreFoundThereAsElsewhere) {
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme.policy.spf]\non_fial = \"reject\"\n"),
              ElementsAre("/etc/m.toml:11:1: error: unknown key \"on_fial\" in [tenants.acme.policy.spf]; did you mean "
                          "\"on_fail\"?"));
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme.policy.spf]\nscore = 5000\n"),
              ElementsAre("/etc/m.toml:11:9: error: 5000.0 is out of range: -1000 to 1000"));
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme]\n"), ElementsAre(HasSubstr("/etc/m.toml:10:")));
  EXPECT_THAT(errors_of("include = [\"*.toml\"]\n" + two_tenants +
                            "[tenants.acme.policy.spf]\nscore = 5\n"
                            "[tenants.acme.policy.dnsbl.zones.\"a.example\"]\n",
                        {{"/etc/acme.toml", "[tenants.acme.policy.spf]\nscore = 6\n"}}),
              ElementsAre("/etc/acme.toml:2:1: error: tenants.acme.policy.spf.score is already set at "
                          "/etc/m.toml:12:1"));
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme.limits]\nhops = 5\n"),
              ElementsAre(HasSubstr("unknown key \"limits\" in [tenants.acme]")));
  // A value that is refused leaves no gap for the fallback to fill silently.
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme.policy]\nmode = \"off\"\nspf.mode = \"on\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:12:12: error: expected one of \"enforce\", \"shadow\", \"off\"")));
}

TEST(Overrides, AreCheckedAgainstWhatCountsForAll) {
  EXPECT_THAT(errors_of(two_tenants + "[tenants.acme.policy.arc]\nseal.domain = \"acme.example\"\n"),
              ElementsAre("/etc/m.toml:11:6: error: tenants.acme.policy.arc.seal needs all of domain, selector and "
                          "key"));
  const std::string sealed = two_tenants +
                             "[policy.arc]\n"
                             "seal = { domain = \"msp.example\", selector = \"a\", key = { file = \"k.pem\" } }\n";
  EXPECT_THAT(errors_of(sealed + "[tenants.acme.policy.arc]\nseal.domain = \"acme.example\"\n"), IsEmpty());
  // One mistake in what counts for all is one error, however many tenants override something else beside it.
  EXPECT_THAT(errors_of(two_tenants + "[policy.arc]\nseal.domain = \"msp.example\"\n[tenants.acme.policy.arc]\nscore = "
                                      "1.0\n[tenants.bolt.policy.arc]\nscore = 2.0\n"),
              ElementsAre(HasSubstr("/etc/m.toml:11:6: error: policy.arc.seal needs all")));
  // A tenant that switches DMARC off is left out of the reports.
  const std::string reports =
      two_tenants + "[policy.dmarc.report]\nenabled = true\nfrom = \"a@msp.example\"\nupstream = \"exchange\"\n";
  EXPECT_THAT(errors_of(reports + "[tenants.acme.policy.dmarc]\nmode = \"off\"\n"), IsEmpty());
}

TEST(Overrides, TheHashIsThatOfWhatCounts) {
  const std::string hash = good(two_tenants).hash;
  EXPECT_NE(good(two_tenants + "[tenants.acme.policy.spf]\non_fail = \"reject\"\n").hash, hash);
  EXPECT_NE(good(two_tenants + "[tenants.acme.policy.spf]\non_fail = \"reject\"\n").hash,
            good(two_tenants + "[tenants.bolt.policy.spf]\non_fail = \"reject\"\n").hash);
  // Said, but no other than for all.
  EXPECT_EQ(good(two_tenants + "[tenants.acme.policy.spf]\non_fail = \"score\"\n").hash, hash);
}

const std::string rich = two_tenants +
                         "[policy]\n"
                         "mode = \"shadow\"\n"
                         "dnsbl.zones.\"white.example\".score = -5.0\n"
                         "dnsbl.zones.\"plain.example\" = {}\n"
                         "[tenants.acme.policy]\n"
                         "mode = \"enforce\"\n"
                         "dnsbl.score = 3.0\n"
                         "dnsbl.zones.\"own.example\".self_test = true\n"
                         "spf.on_fail = \"reject\"\n";

TEST(Overrides, ShownAndReadAgainTheyAreTheSame) {
  const Loaded loaded = good(rich);
  const std::string shown = show(loaded);
  EXPECT_THAT(shown, HasSubstr("\n[tenants.acme.policy.spf]\n"));
  EXPECT_THAT(shown, testing::ContainsRegex("on_fail = \"reject\" +# /etc/m.toml:18:5\n"));
  const Loaded again = good(shown);
  EXPECT_EQ(again.hash, loaded.hash) << shown;
  EXPECT_EQ(overrides(again), overrides(loaded));
}

TEST(Overrides, ShownForOneTenant) {
  const Loaded loaded = good(rich);
  const auto acme = show_tenant(loaded, "acme");
  ASSERT_TRUE(acme) << acme.error().message;
  EXPECT_THAT(*acme, testing::ContainsRegex("\\[tenants.acme\\]\ndomains = "));
  EXPECT_THAT(*acme, testing::ContainsRegex("on_fail = \"reject\" +# /etc/m.toml:18:5\n"));
  EXPECT_THAT(*acme, testing::ContainsRegex("on_softfail = \"score\" +# default\n"));
  EXPECT_THAT(*acme, HasSubstr("[tenants.acme.policy.dnsbl.zones.\"white.example\"]\nscore = -5.0"));
  EXPECT_THAT(*acme, HasSubstr("[tenants.acme.policy.dnsbl.zones.\"own.example\"]\nscore = 3.0"));
  EXPECT_THAT(*acme, Not(HasSubstr("limits")));
  EXPECT_THAT(*acme, Not(HasSubstr("bolt")));
  const auto bolt = show_tenant(loaded, "bolt");
  ASSERT_TRUE(bolt);
  EXPECT_THAT(*bolt, testing::ContainsRegex("on_fail = \"score\" +# default\n"));
  const auto unknown = show_tenant(loaded, "acne");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "there is no tenant named \"acne\"; did you mean \"acme\"?");
  // Written into the file it changes nothing.
  std::string rest = rich.substr(0, rich.find("[tenants.acme]"));
  rest += rich.substr(rich.find("[tenants.bolt]"), rich.find("[tenants.acme.policy]") - rich.find("[tenants.bolt]"));
  EXPECT_EQ(good(rest + *acme).hash, loaded.hash);
}

TEST(Overrides, Explained) {
  const Loaded loaded = good(rich);
  const auto own = explain("tenants.acme.policy.spf.on_fail", &loaded);
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_THAT(*own, HasSubstr("policy.spf.on_fail\n    What becomes"));
  EXPECT_THAT(*own, HasSubstr("tenants  may have their own: tenants.*.policy.spf.on_fail\n"));
  EXPECT_THAT(*own, HasSubstr("value    tenants.acme.policy.spf.on_fail = \"reject\"  (/etc/m.toml:18:5)\n"));
  const auto not_own = explain("tenants.bolt.policy.spf.on_fail", &loaded);
  ASSERT_TRUE(not_own);
  EXPECT_THAT(*not_own, HasSubstr("value    policy.spf.on_fail = \"score\"  (default)\n"));
  EXPECT_THAT(*not_own, Not(HasSubstr("acme")));
  const auto everybody = explain("policy.spf.on_fail", &loaded);
  ASSERT_TRUE(everybody);
  EXPECT_THAT(*everybody, HasSubstr("value    policy.spf.on_fail = \"score\"  (default)\n"
                                    "value    tenants.acme.policy.spf.on_fail = \"reject\"  (/etc/m.toml:18:5)\n"));
  const auto tenants_only = explain("tenants.*.policy.spf.on_fail", &loaded);
  ASSERT_TRUE(tenants_only);
  EXPECT_THAT(*tenants_only, Not(HasSubstr("value    policy.spf")));
  EXPECT_THAT(*tenants_only, HasSubstr("value    tenants.acme.policy.spf.on_fail = \"reject\""));
  const auto zone = explain("tenants.acme.policy.dnsbl.zones.\"white.example\".score", &loaded);
  ASSERT_TRUE(zone);
  EXPECT_THAT(*zone, HasSubstr("value    policy.dnsbl.zones.\"white.example\".score = -5.0  (/etc/m.toml:12:"));
  EXPECT_THAT(*explain("tenants", &loaded), HasSubstr("tenants.*.policy\n"));
  const auto unknown = explain("tenants.acme.policy.spf.on_fial", &loaded);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "unknown key \"on_fial\" in tenants.*.policy.spf; did you mean \"on_fail\"?");
}

// Two hundred tenants cost what they say, not two hundred times all keys.
TEST(Overrides, ManyTenants) {
  std::string text = "hostname = \"mx1.msp.example\"\nupstream = \"10.0.0.5:25\"\n";
  for (int i = 0; i < 200; ++i) {
    const std::string name = "t" + std::to_string(i);
    text += "[tenants." + name + "]\ndomains = [\"" + name + ".example\"]\n[tenants." + name +
            ".policy]\nspf.on_fail = \"reject\"\nactions.tag = 4.0\ndkim.signatures = 5\n";
  }
  const Loaded loaded = good(text);
  EXPECT_EQ(overrides(loaded).size(), 600u);
  EXPECT_EQ(loaded.values.size(), good(minimal).values.size() + 199 * 2 + 600);
  EXPECT_EQ(of(loaded, "t199", policies::spf_section).on_fail, policies::SpfAction::reject);
  EXPECT_EQ(&of(loaded, "t199", policies::dmarc_section), &loaded.settings->policy.of(policies::dmarc_section));
}

}  // namespace
}  // namespace sallyport::config
