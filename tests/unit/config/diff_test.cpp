#include "gateway/config/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

EffectiveValues values_of(const std::string& text) {
  const Outcome outcome = load_text(text);
  for (const ConfigError& error : outcome.errors) ADD_FAILURE() << error.to_string();
  return effective_values(outcome.loaded);
}

std::string diff(const std::string& running, const std::string& disk) {
  return to_text(changes(values_of(running), values_of(disk)));
}

const std::string acme = "[tenants.acme]\ndomains = [\"acme.example\"]\n";

TEST(Diff, NothingButWhatCounts) {
  EXPECT_EQ(diff(minimal, minimal), "");
  EXPECT_EQ(diff(minimal, "# a comment\n" + minimal + "[limits]\nhops = 100\n"), "");
}

TEST(Diff, ALineForEachKey) {
  EXPECT_EQ(diff(minimal + "[limits]\nhops = 50\n", minimal + "workers = 2\n[[listen]]\naddress = \"127.0.0.1:25\"\n"),
            "limits.hops: 50 -> 100 (new connections)\n"
            "listen[0].address: \"[::]:25\" -> \"127.0.0.1:25\" (live)\n"
            "workers: 0 -> 2 (restart)\n");
}

TEST(Diff, WhatOnlyOneSideHas) {
  EXPECT_EQ(diff(minimal, minimal + "[policy.dnsbl.zones.\"a.example\"]\nscore = 2.0\n"),
            "policy.dnsbl.zones.\"a.example\".codes: not there -> {} (new connections)\n"
            "policy.dnsbl.zones.\"a.example\".name: not there -> \"\" (new connections)\n"
            "policy.dnsbl.zones.\"a.example\".reply: not there -> [\"127.0.0.2-127.0.0.254\"] (new connections)\n"
            "policy.dnsbl.zones.\"a.example\".score: not there -> 2.0 (new connections)\n"
            "policy.dnsbl.zones.\"a.example\".self_test: not there -> \"auto\" (new connections)\n"
            "policy.dnsbl.zones.\"a.example\".text: not there -> \"\" (new connections)\n");
  EXPECT_EQ(diff(minimal + acme, minimal),
            "tenants.acme.domains: [\"acme.example\"] -> not there (new connections)\n"
            "tenants.acme.upstream: \"default\" -> not there (new connections)\n");
}

TEST(Diff, AnOverrideThatGoesLeavesTheValueForAll) {
  const std::string override = minimal + acme + "policy.spf.on_fail = \"reject\"\n";
  EXPECT_EQ(diff(override, minimal + acme),
            "tenants.acme.policy.spf.on_fail: \"reject\" -> \"score\" (new connections)\n");
  EXPECT_EQ(diff(minimal + acme, override),
            "tenants.acme.policy.spf.on_fail: \"score\" -> \"reject\" (new connections)\n");
  // No change for anybody.
  EXPECT_EQ(diff(minimal + acme + "policy.spf.on_fail = \"score\"\n", minimal + acme), "");
  // With the tenant goes what it overrode.
  EXPECT_THAT(diff(override, minimal),
              testing::HasSubstr("tenants.acme.policy.spf.on_fail: \"reject\" -> not there (new connections)\n"));
}

TEST(Diff, WhatNeedsARestart) {
  const auto found =
      changes(values_of(minimal), values_of(minimal + "workers = 2\nuser = \"mail\"\n[state]\npath = "
                                                      "\"/tmp/s\"\n[dns]\ncache_entries = 5\n[limits]\n"
                                                      "hops = 5\n[[listen]]\naddress = \"[::]:2525\"\n"));
  EXPECT_EQ(found.size(), 6u);
  EXPECT_THAT(needing_restart(found), ElementsAre("dns.cache_entries", "state.path", "user", "workers"));
}

TEST(Diff, ValuesTravelAsText) {
  const EffectiveValues values = values_of(minimal + acme +
                                           "policy.dmarc.report.contact = \"a\\\"\\u00e4 = b\"\n"
                                           "policy.dnsbl.zones.\"a.example\" = {}\n");
  const auto again = read_effective_values(to_text(values));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, values);
  EXPECT_THAT(changes(values, *again), IsEmpty());
  EXPECT_TRUE(read_effective_values("")->empty());
  EXPECT_FALSE(read_effective_values("workers\t1"));
  EXPECT_FALSE(read_effective_values("workers = 1\n"));
}

// The running program may be older or newer than the one that compares.
TEST(Diff, KeysThatAreUnknownHere) {
  EffectiveValues running = values_of(minimal);
  running["limits.bananas"] = "3";
  running["policy.none.\"x"] = "what";
  const auto found = changes(running, values_of(minimal));
  EXPECT_EQ(to_text(found),
            "limits.bananas: 3 -> not there (unknown to this version)\n"
            "policy.none.\"x: what -> not there (unknown to this version)\n");
  EXPECT_THAT(needing_restart(found), IsEmpty());
  const auto json = nlohmann::json::parse(to_json(found));
  EXPECT_EQ(json[0]["running"], 3);
  EXPECT_EQ(json[1]["running"], "what");
  EXPECT_TRUE(json[0]["disk"].is_null());
  EXPECT_TRUE(json[0]["reload"].is_null());
}

TEST(Diff, JsonForPrograms) {
  const auto json = nlohmann::json::parse(to_json(changes(values_of(minimal), values_of(minimal + "workers = 2\n"))));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["path"], "workers");
  EXPECT_EQ(json[0]["running"], 0);
  EXPECT_EQ(json[0]["disk"], 2);
  EXPECT_EQ(json[0]["reload"], "restart");
  EXPECT_EQ(to_json({}), "[]\n");
}

}  // namespace
}  // namespace sallyport::config
