// Whose settings count when, and what is asked for whom (contract.md, section 3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/toy_policies.h"

namespace sallyport::checks {
namespace {

using policies::Action;
using policies::Mode;
using testing::ElementsAre;

class TenantsTest : public testing::Test {
 protected:
  void begin() {
    plans = tenants.prepare();
    checks.emplace(world.services(), plans, [] {});
    world.run(checks->connected(mail_to("", "")));
    world.run(checks->greeted(mail_to("", "")));
  }
  Disposition mail() { return world.run(checks->mail_begun(mail_to("", ""), plans)); }
  std::optional<Disposition> rcpt(const std::string& user, const std::string& domain) {
    auto said = world.loop.run_until_done(checks->recipient(mail_to(user, domain), *plans->plans().serving(domain)));
    checks->recipient_answered(said && !said->refuses());
    return said;
  }
  Disposition message() { return world.run(checks->message(mail_to("", ""))); }
  std::vector<std::string> asked() { return checks->facts().get<ToyFacts>().asked; }

  ChecksWorld world;
  Tenants tenants;
  std::shared_ptr<const WorkerPlans> plans;
  std::optional<Checks> checks;
};

TEST_F(TenantsTest, WhatOnlyOneTenantWantsToKnowIsAskedAtItsFirstRecipient) {
  tenants.common_toy().ask = {"for all"};
  tenants.add("acme", "acme.example").edit(toy_section).ask = {"for all", "for acme"};
  tenants.add("beta", "beta.example");
  begin();
  mail();
  EXPECT_THAT(asked(), ElementsAre("for all"));
  rcpt("ann", "acme.example");
  EXPECT_THAT(asked(), ElementsAre("for all", "for acme"));
  rcpt("bob", "acme.example");
  EXPECT_THAT(asked(), ElementsAre("for all", "for acme"));
}

TEST_F(TenantsTest, ACheckThatIsOffForAllButOneRunsForThatOne) {
  tenants.common_toy().mode = Mode::off;
  auto& acme = tenants.add("acme", "acme.example").edit(toy_section);
  acme.mode = Mode::enforce;
  acme.ask = {"something"};
  acme.score = 20;
  tenants.add("beta", "beta.example");
  begin();
  mail();
  rcpt("ann", "acme.example");
  EXPECT_THAT(asked(), ElementsAre("something"));
  EXPECT_EQ(message().action, Action::reject);
  checks->mail_ended();
  mail();
  rcpt("bob", "beta.example");
  EXPECT_EQ(checks->facts().find<ToyFacts>(), nullptr);
  EXPECT_EQ(message().action, Action::none);
}

TEST_F(TenantsTest, ACheckThatIsOffForOneSaysNothingOfItsMail) {
  tenants.common_toy().ask = {"for all"};
  tenants.common_toy().score = 20;
  tenants.add("acme", "acme.example").edit(toy_section).mode = Mode::off;
  tenants.add("beta", "beta.example");
  begin();
  mail();
  rcpt("ann", "acme.example");
  EXPECT_EQ(checks->facts().find<ToyFacts>(), nullptr);
  EXPECT_EQ(message().action, Action::none);
}

TEST_F(TenantsTest, MailIsRefusedAtMailWhereAllTenantsAgree) {
  tenants.common_toy().rejects_at_mail = true;
  tenants.add("acme", "acme.example");
  tenants.add("beta", "beta.example").edit(other_section).score = 1;  // overrides another check
  begin();
  EXPECT_EQ(mail().action, Action::reject);
}

TEST_F(TenantsTest, MailWaitsForItsTenantWhereOneOverridesTheCheck) {
  tenants.common_toy().rejects_at_mail = true;
  tenants.common_toy().asks_at_mail = true;
  tenants.add("acme", "acme.example").edit(toy_section).rejects_at_mail = false;
  tenants.add("beta", "beta.example");
  begin();
  EXPECT_EQ(mail().action, Action::none);
  EXPECT_THAT(asked(), testing::IsEmpty());
  EXPECT_TRUE(rcpt("bob", "beta.example")->refuses());
  EXPECT_FALSE(rcpt("ann", "acme.example")->refuses());
  EXPECT_THAT(asked(), ElementsAre("mail"));
  EXPECT_EQ(message().action, Action::none);
}

TEST_F(TenantsTest, ShadowForOneTenantOnly) {
  tenants.common_toy().rejects_at_mail = true;
  tenants.add("acme", "acme.example").edit(toy_section).mode = Mode::shadow;
  tenants.add("beta", "beta.example");
  begin();
  mail();
  EXPECT_FALSE(rcpt("ann", "acme.example")->refuses());
  EXPECT_THAT(symbols(checks->verdicts()), ElementsAre("~toy"));
  EXPECT_THAT(shadows(checks->verdicts()), ElementsAre("toy reject"));
}

TEST_F(TenantsTest, TheThresholdsAreTheTenants) {
  tenants.common_toy().score = 6;
  tenants.add("acme", "acme.example").edit(policies::actions_section).reject = 6;
  tenants.add("beta", "beta.example").edit(policies::actions_section).tag = 7;
  begin();
  mail();
  rcpt("ann", "acme.example");
  EXPECT_EQ(message().action, Action::reject);
  checks->mail_ended();
  mail();
  rcpt("bob", "beta.example");
  EXPECT_EQ(message().action, Action::none);
}

TEST_F(TenantsTest, ARefusedRecipientLeavesNothingToTheNext) {
  tenants.common_toy().refuses_user = "eve";
  tenants.common_toy().score = 1;
  tenants.add("acme", "acme.example").edit(toy_section).score = 3;
  tenants.add("beta", "beta.example");
  begin();
  mail();
  EXPECT_TRUE(rcpt("eve", "beta.example")->refuses());
  EXPECT_FALSE(rcpt("ann", "acme.example")->refuses());
  message();
  EXPECT_EQ(score(checks->verdicts()), 3);
  EXPECT_THAT(symbols(checks->verdicts()), ElementsAre("toy(3)"));
}

}  // namespace
}  // namespace sallyport::checks
