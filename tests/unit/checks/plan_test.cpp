#include "gateway/checks/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/toy_policies.h"

namespace sallyport::checks {
namespace {

using policies::Mode;

class PlanTest : public testing::Test {
 protected:
  std::string serving(std::string_view domain) {
    const auto prepared = tenants.prepare();
    const Plan* plan = prepared->plans().serving(domain);
    return plan ? plan->tenant : "nobody";
  }
  Tenants tenants;
};

TEST_F(PlanTest, ADomainIsServedByWhoNamesItElseByTheNearestPattern) {
  tenants.add("acme", "acme.example");
  tenants.add("below", "*.acme.example");
  tenants.add("deep", "*.lab.acme.example");
  EXPECT_EQ(serving("acme.example"), "acme");
  EXPECT_EQ(serving("www.acme.example"), "below");
  EXPECT_EQ(serving("lab.acme.example"), "below");
  EXPECT_EQ(serving("a.b.lab.acme.example"), "deep");
  EXPECT_EQ(serving("example"), "nobody");
  EXPECT_EQ(serving("notacme.example"), "nobody");
}

TEST_F(PlanTest, PostmasterWithoutADomainBelongsToTheDefaultTenantElseToTheFirst) {
  tenants.add("beta", "beta.example");
  tenants.add("acme", "acme.example");
  EXPECT_EQ(serving(""), "acme");
  tenants.add("default", "example.org");
  EXPECT_EQ(serving(""), "default");
}

TEST_F(PlanTest, ATenantSharesTheGathererOfSettingsThatItDoesNotOverride) {
  tenants.common_toy().ask = {"one"};
  tenants.add("acme", "acme.example");
  tenants.add("beta", "beta.example").edit(toy_section).ask = {"two"};
  const auto prepared = tenants.prepare();
  const Plans& plans = prepared->plans();
  const auto gatherer = [&](const Plan& plan, std::size_t at) { return prepared->active(plan)[at].gatherer; };
  const Plan& acme = *plans.tenants.at("acme");
  const Plan& beta = *plans.tenants.at("beta");
  EXPECT_EQ(gatherer(acme, 0), gatherer(plans.connection, 0));
  EXPECT_NE(gatherer(beta, 0), gatherer(plans.connection, 0));
  EXPECT_EQ(gatherer(beta, 1), gatherer(plans.connection, 1));
  EXPECT_FALSE(acme.checks[0].is_overridden);
  EXPECT_TRUE(beta.checks[0].is_overridden);
  EXPECT_THAT(plans.overridden, testing::ElementsAre(&toy_entry));
}

TEST(Plans, WhatReadsAnotherAtMailWaitsForTheTenantWithIt) {
  policies::PolicyEntry reader = other_entry;
  reader.reads_at_mail = "toy";
  const settings::Section* const sections[] = {&toy_section, &other_section, &policies::actions_section};
  const policies::PolicyEntry* const entries[] = {&reader, &toy_entry};
  const settings::Set common(sections);
  settings::Set own = common;
  const std::vector<TenantPolicy> alike{{"acme", {"acme.example"}, "", &common}, {"beta", {"beta.example"}, "", &own}};
  EXPECT_FALSE(make_plans(common, alike, entries)->waits_for_tenant(reader));
  own.edit(toy_section).score = 2;
  const auto plans = make_plans(common, alike, entries);
  EXPECT_THAT(plans->overridden, testing::ElementsAre(&toy_entry));
  EXPECT_TRUE(plans->waits_for_tenant(toy_entry));
  EXPECT_TRUE(plans->waits_for_tenant(reader));
}

TEST(Plans, KnowWhomTheirPoliciesDoNotLimit) {
  static const std::vector<IpNetwork> networks{*IpNetwork::parse("192.0.2.0/24")};
  policies::PolicyEntry generous = other_entry;
  generous.unlimited = [](const void*) -> const std::vector<IpNetwork>& { return networks; };
  const settings::Section* const sections[] = {&toy_section, &other_section, &policies::actions_section};
  const policies::PolicyEntry* const entries[] = {&generous, &toy_entry};
  EXPECT_EQ(make_plans(settings::Set(sections), {}, entries)->unlimited, networks);
}

TEST_F(PlanTest, WhatIsOffIsNotThere) {
  tenants.common_toy().mode = Mode::off;
  tenants.add("acme", "acme.example").edit(toy_section).mode = Mode::shadow;
  tenants.add("beta", "beta.example");
  const auto prepared = tenants.prepare();
  const Plans& plans = prepared->plans();
  ASSERT_EQ(plans.connection.checks.size(), 1u);
  EXPECT_EQ(plans.connection.checks[0].entry, &other_entry);
  EXPECT_EQ(plans.tenants.at("acme")->checks.size(), 2u);
  EXPECT_EQ(plans.tenants.at("acme")->checks[0].mode, Mode::shadow);
  EXPECT_EQ(plans.tenants.at("beta")->checks.size(), 1u);
}

TEST_F(PlanTest, ALoneTenantsSettingsHoldFromTheFirstOctet) {
  tenants.add("acme", "acme.example").edit(toy_section).ask = {"its own"};
  const auto prepared = tenants.prepare();
  EXPECT_EQ(prepared->plans().connection.policy.of(toy_section).ask, std::vector<std::string>{"its own"});
  EXPECT_THAT(prepared->plans().overridden, testing::IsEmpty());
}

}  // namespace
}  // namespace sallyport::checks
