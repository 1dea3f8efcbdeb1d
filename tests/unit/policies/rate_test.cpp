// Rate limits: what is counted under which key, and what a client hears.
#include "policies/rate/rate.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "policies/spf/facts.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;

RateSettings all_rates() {
  RateSettings settings;
  settings.mail_per_rcpt = Rate{5, 1min, 5};
  return settings;
}

class RateGather : public testing::Test {
 protected:
  // SPF has this to say of the sender's domain.
  void spf_says(AuthResult result, const std::string& domain) {
    SpfFacts found;
    found.mailfrom.emplace();
    found.mailfrom->result = result;
    found.mailfrom->domain = domain;
    facts_.put(found);
  }
  // A stage of one and the same mail.
  Verdict verdict(Stage stage, const Transaction& mail) {
    world_.gather(*gathering_, stage, mail, facts_);
    return only(judge(rate_entry, stage, mail, facts_, settings_));
  }
  std::vector<RateFact> asked() const { return facts_.get<RateFacts>().asked; }
  std::vector<std::string>& keys() { return world_.rates.keys; }

  PolicyWorld world_;
  RateSettings settings_ = all_rates();
  std::unique_ptr<Gatherer> gatherer_ = world_.prepare(rate_entry, settings_);
  std::unique_ptr<Gathering> gathering_ = gatherer_->begin();
  Facts facts_;
};

TEST_F(RateGather, CountsEachThingWhereItHappens) {
  Transaction mail = mail_of("192.0.2.1");
  verdict(Stage::connect, mail);
  mail.from = address("ann", "example.org");
  verdict(Stage::mail, mail);
  mail.rcpt = address("Bob", "example.com");
  verdict(Stage::rcpt, mail);
  EXPECT_EQ(keys(), (std::vector<std::string>{"connect_per_ip 192.0.2.1", "mail_per_ip 192.0.2.1",
                                              "rcpt_per_sender_domain example.org 192.0.2.1", "rcpt_per_ip 192.0.2.1",
                                              "mail_per_rcpt bob@example.com"}));
  ASSERT_EQ(asked().size(), 5u);
  EXPECT_TRUE(asked()[0].allowed);
  EXPECT_EQ(asked()[1].name, RateName::mail_per_ip);
  EXPECT_EQ(asked()[1].stage, Stage::mail);
  EXPECT_EQ(asked()[1].rate, (Rate{300, 1h, 100}));
  EXPECT_EQ(asked()[4].key, "bob@example.com");
}

TEST_F(RateGather, CountsForADomainWhatSpfPassesForIt) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "BÜCHER.example");
  mail.rcpt = address("bob", "example.com");
  spf_says(AuthResult::pass, "xn--bcher-kva.example");
  for (Stage stage : {Stage::mail, Stage::rcpt}) verdict(stage, mail);
  EXPECT_EQ(keys(),
            (std::vector<std::string>{"proven_mail_per_ip 192.0.2.1", "rcpt_per_sender_domain xn--bcher-kva.example",
                                      "mail_per_rcpt bob@example.com"}));
}

TEST_F(RateGather, TouchesNoDomainThatIsNotProven) {
  Transaction mail = mail_of("2001:db8:1:2::7");
  mail.rcpt = address("bob", "example.com");
  for (AuthResult result : {AuthResult::none, AuthResult::neutral, AuthResult::fail, AuthResult::softfail,
                            AuthResult::policy, AuthResult::temperror, AuthResult::permerror}) {
    keys().clear();
    const auto gathering = gatherer_->begin();
    facts_ = Facts();
    mail.from = address("ann", "example.org");
    spf_says(result, "example.org");
    for (Stage stage : {Stage::mail, Stage::rcpt}) world_.gather(*gathering, stage, mail, facts_);
    EXPECT_EQ(keys(), (std::vector<std::string>{"mail_per_ip 2001:db8:1:2::/64",
                                                "rcpt_per_sender_domain example.org 2001:db8:1:2::/64",
                                                "rcpt_per_ip 2001:db8:1:2::/64", "mail_per_rcpt bob@example.com"}));
  }
}

TEST_F(RateGather, CountsARecipientOnceOfAMail) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  for (const char* local : {"bob", "carol", "BOB", "bob", "carol"}) {
    mail.rcpt = address(local, "example.com");
    verdict(Stage::rcpt, mail);
    gathering_->recipient_answered(true);
  }
  EXPECT_EQ(keys().size(), 2u * 3) << "three rates, two recipients";
  EXPECT_TRUE(world_.rates.given_back.empty());
  const auto another_mail = gatherer_->begin();
  Facts facts;
  world_.gather(*another_mail, Stage::rcpt, mail, facts);
  EXPECT_EQ(keys().size(), 3u * 3);
}

TEST_F(RateGather, GivesBackWhatARefusedRecipientHasTaken) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("nobody", "example.com");
  verdict(Stage::rcpt, mail);
  const std::vector<std::string> taken = keys();
  ASSERT_EQ(taken.size(), 3u);
  gathering_->recipient_answered(false);
  EXPECT_EQ(world_.rates.given_back, taken);
  verdict(Stage::rcpt, mail);
  EXPECT_EQ(keys().size(), 6u) << "it was not accepted, so it is no repetition";
  gathering_.reset();
  EXPECT_EQ(world_.rates.given_back.size(), 6u) << "the client left before the answer";
}

TEST_F(RateGather, GivesBackWhenALaterRateRefuses) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("bob", "example.com");
  world_.rates.used_up = {"mail_per_rcpt bob@example.com"};
  verdict(Stage::rcpt, mail);
  gathering_->recipient_answered(false);
  EXPECT_EQ(world_.rates.given_back,
            (std::vector<std::string>{"rcpt_per_sender_domain example.org 192.0.2.1", "rcpt_per_ip 192.0.2.1"}));
}

TEST_F(RateGather, LimitsNobodyWhoIsExempt) {
  settings_.skip = {*IpNetwork::parse("198.51.100.0/24")};
  const auto gatherer = world_.prepare(rate_entry, settings_);
  for (const auto& [ip, is_trusted, symbol, because] :
       {std::tuple("192.0.2.1", true, "trusted", "trusted.networks has the client"),
        std::tuple("198.51.100.7", false, "skipped", "policy.rate.skip has the client")}) {
    const auto gathering = gatherer->begin();
    Facts facts;
    Transaction mail = mail_of(ip);
    mail.client.is_trusted = is_trusted;
    mail.from = address("ann", "example.org");
    for (Stage stage : {Stage::connect, Stage::mail, Stage::rcpt}) {
      if (stage == Stage::rcpt) mail.rcpt = address("bob", "example.com");
      world_.gather(*gathering, stage, mail, facts);
      const Verdict said = only(judge(rate_entry, stage, mail, facts, settings_));
      EXPECT_EQ(said.action, Action::none);
      EXPECT_EQ(said.rule, symbol);
      EXPECT_EQ(said.because, because);
    }
    EXPECT_EQ(explain_rate(mail, facts, settings_).result, "not limited");
  }
  EXPECT_TRUE(keys().empty());
  EXPECT_EQ(rate_entry.unlimited(&settings_), settings_.skip);
}

TEST_F(RateGather, CountsAnIpv6NetworkAsOneClient) {
  verdict(Stage::connect, mail_of("2001:db8:1:2::1"));
  Facts of_another_connection;
  world_.gather(*gatherer_, Stage::connect, mail_of("2001:db8:1:2:3::1"), of_another_connection);
  EXPECT_EQ(keys(), std::vector<std::string>(2, "connect_per_ip 2001:db8:1:2::/64"));
}

TEST_F(RateGather, CountsTheNullSenderByTheClient) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = MailAddress{};
  mail.rcpt = address("Postmaster", "");
  spf_says(AuthResult::pass, "client.example");  // the greeting's name: no sender's domain
  verdict(Stage::rcpt, mail);
  const std::vector<std::string> of_the_client{"rcpt_per_sender_domain <> 192.0.2.1", "rcpt_per_ip 192.0.2.1",
                                               "mail_per_rcpt postmaster@"};
  EXPECT_EQ(keys(), of_the_client);
}

TEST_F(RateGather, CountsATenantsOwnRatesApart) {
  world_.tenant = "acme";
  const auto of_acme = world_.prepare(rate_entry, settings_);
  Facts facts;
  world_.gather(*of_acme, Stage::mail, mail_of("192.0.2.1"), facts);
  verdict(Stage::mail, mail_of("192.0.2.1"));
  EXPECT_EQ(keys(), (std::vector<std::string>{"mail_per_ip 192.0.2.1 of acme", "mail_per_ip 192.0.2.1"}));
  ASSERT_EQ(facts.get<RateFacts>().asked.size(), 1u);
  EXPECT_EQ(facts.get<RateFacts>().asked[0].key, "192.0.2.1");
}

TEST_F(RateGather, EndsAConnectionThatIsOneTooMany) {
  world_.rates.used_up = {"connect_per_ip 192.0.2.1"};
  const Verdict refused = verdict(Stage::connect, mail_of("192.0.2.1"));
  EXPECT_EQ(refused.action, Action::tempfail);
  EXPECT_EQ(refused.code, 421);
  EXPECT_EQ(refused.dsn, "4.7.1");
  EXPECT_TRUE(refused.close);
  EXPECT_EQ(refused.check, "rate");
  EXPECT_EQ(refused.rule, "connect_per_ip");
  EXPECT_EQ(refused.because, "connect_per_ip 60/1m used up by 192.0.2.1, retry in 2s");
  EXPECT_EQ(world_.counters.get(Violation::rate_limit), 1u);
}

TEST_F(RateGather, DelaysMailAndRecipients) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("bob", "example.com");
  world_.rates.used_up = {"mail_per_ip 192.0.2.1", "rcpt_per_sender_domain example.org 192.0.2.1"};
  for (Stage stage : {Stage::mail, Stage::rcpt}) {
    const Verdict refused = verdict(stage, mail);
    EXPECT_EQ(refused.action, Action::tempfail);
    EXPECT_EQ(refused.code, 451);
    EXPECT_EQ(refused.dsn, "4.7.1");
    EXPECT_FALSE(refused.close);
  }
  EXPECT_EQ(asked().back().name, RateName::rcpt_per_sender_domain);
  EXPECT_EQ(keys().back(), "rcpt_per_sender_domain example.org 192.0.2.1")
      << "nothing more is taken once one has refused";
}

TEST_F(RateGather, LetsTheSecondRateDecideToo) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("bob", "example.com");
  world_.rates.used_up = {"mail_per_rcpt bob@example.com"};
  const Verdict refused = verdict(Stage::rcpt, mail);
  EXPECT_EQ(refused.action, Action::tempfail);
  EXPECT_EQ(refused.rule, "mail_per_rcpt");
  mail.rcpt = address("carol", "example.com");
  EXPECT_EQ(verdict(Stage::rcpt, mail).action, Action::none) << "of one recipient nothing stays for the next";
  EXPECT_EQ(asked().size(), 3u);
}

TEST_F(RateGather, CountsAMailOnceWhoeverItsTenantIs) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  verdict(Stage::connect, mail);
  const Facts of_the_connection = facts_;
  verdict(Stage::mail, mail);
  mail.rcpt = address("bob", "example.com");

  RateSettings of_a_tenant = all_rates();
  of_a_tenant.mail_per_ip = Rate{1, 1h, 1};
  const auto tenants = world_.prepare(rate_entry, of_a_tenant);
  const auto gathering = tenants->begin();
  for (Stage stage : {Stage::connect, Stage::mail}) world_.gather(*gathering, stage, mail, facts_);
  EXPECT_EQ(keys().size(), 2u) << "what was taken for all tenants is not taken for this one";

  facts_ = of_the_connection;
  for (Stage stage : {Stage::connect, Stage::mail}) world_.gather(*gathering, stage, mail, facts_);
  EXPECT_EQ(keys().size(), 3u);
  facts_ = of_the_connection;  // the first recipient was refused, and its facts with it
  for (Stage stage : {Stage::connect, Stage::mail}) world_.gather(*gathering, stage, mail, facts_);
  EXPECT_EQ(keys().size(), 3u);
  EXPECT_EQ(asked().back().rate, (Rate{1, 1h, 1}));
}

TEST_F(RateGather, CountsNoConnectionWhenATenantBecomesKnown) {
  Transaction mail = mail_of("192.0.2.1");
  mail.rcpt = address("bob", "example.com");
  verdict(Stage::connect, mail);
  EXPECT_TRUE(keys().empty());
}

TEST(RateGatherer, OnlyTakesPartWhereARateIsSet) {
  PolicyWorld world;
  const auto all = world.prepare(rate_entry, all_rates());
  const auto none = world.prepare(rate_entry, RateSettings{Mode::enforce, {}, {}, {}, {}, {}, {}, {}});
  for (Stage stage : {Stage::connect, Stage::mail, Stage::rcpt}) {
    EXPECT_TRUE(all->gathers_at(stage));
    EXPECT_FALSE(none->gathers_at(stage));
  }
  for (Stage stage : {Stage::helo, Stage::headers, Stage::message, Stage::done}) EXPECT_FALSE(all->gathers_at(stage));
  EXPECT_TRUE(all->precedes_greeting());
  EXPECT_FALSE(none->precedes_greeting());
}

TEST(RateGatherer, InShadowCountsNoViolation) {
  PolicyWorld world;
  world.rates.used_up = {"connect_per_ip 192.0.2.1"};
  RateSettings settings;
  settings.mode = Mode::shadow;
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  world.gather(*world.prepare(rate_entry, settings), Stage::connect, mail, facts);
  EXPECT_FALSE(facts.get<RateFacts>().asked.at(0).allowed);
  EXPECT_EQ(world.counters.get(Violation::rate_limit), 0u);
  EXPECT_TRUE(only(judge(rate_entry, Stage::connect, mail, facts, settings)).shadow);
}

RateFact used_up(RateName name, Stage stage) {
  RateFact fact{name, stage, "192.0.2.1", Rate{1, 1min, 1}};
  fact.allowed = false;
  return fact;
}

TEST(JudgeRate, HasNothingToSayWithoutFacts) {
  for (Stage stage : {Stage::connect, Stage::mail, Stage::rcpt, Stage::message}) {
    EXPECT_TRUE(judge(rate_entry, stage, Transaction(), Facts(), RateSettings()).empty());
    EXPECT_TRUE(judge(rate_entry, stage, Transaction(), facts_with(RateFacts()), RateSettings()).empty());
  }
}

TEST(JudgeRate, SpeaksAtTheStageOfTheRateAndUnderSettingsThatHaveIt) {
  const Facts facts = facts_with(RateFacts{{used_up(RateName::mail_per_ip, Stage::mail)}});
  EXPECT_EQ(judge(rate_entry, Stage::mail, Transaction(), facts, RateSettings()).size(), 1u);
  EXPECT_TRUE(judge(rate_entry, Stage::connect, Transaction(), facts, RateSettings()).empty());
  RateSettings unlimited;
  unlimited.mail_per_ip.reset();
  EXPECT_TRUE(judge(rate_entry, Stage::mail, Transaction(), facts, unlimited).empty());
}

TEST(ExplainRate, TellsWhatWasAskedFor) {
  EXPECT_EQ(explain_rate(Transaction(), Facts(), RateSettings()).result, "not run");
  RateFact granted{RateName::mail_per_ip, Stage::mail, "192.0.2.1", Rate{300, 1h, 100}};
  granted.counted = false;
  Explained dry_run = explain_rate(Transaction(), facts_with(RateFacts{{granted}}), RateSettings());
  EXPECT_EQ(dry_run.result, "not counted");
  EXPECT_EQ(dry_run.fact, "what would have been:");
  EXPECT_EQ(dry_run.details, std::vector<std::string>{"mail_per_ip 192.0.2.1 of 300/1h burst 100"});
  granted.counted = true;
  EXPECT_EQ(explain_rate(Transaction(), facts_with(RateFacts{{granted}}), RateSettings()).result, "within");
  const RateFacts refused{{granted, used_up(RateName::mail_per_rcpt, Stage::rcpt)}};
  const Explained explained = explain_rate(Transaction(), facts_with(refused), RateSettings());
  EXPECT_EQ(explained.result, "used up");
  EXPECT_EQ(explained.fact, "mail_per_rcpt 192.0.2.1 of 1/1m");
}

}  // namespace
}  // namespace sallyport::policies
