// Rate limits: what is counted under which key, and what a client hears.
#include "policies/rate/rate.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;

class FakeRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string key, Rate) override {
    keys.push_back(key);
    if (used_up.contains(key)) co_return io::RateAnswer{false, 1500ms};
    co_return io::RateAnswer{};
  }

  std::vector<std::string> keys;
  std::set<std::string> used_up;
};

RateSettings all_rates() {
  RateSettings settings;
  settings.mail_per_rcpt = Rate{5, 1min, 5};
  return settings;
}

class RateGather : public testing::Test {
 protected:
  Verdict verdict(Stage stage, const Transaction& mail) {
    world_.gather(policy_, stage, mail, facts_);
    return policy_.judge(stage, mail, facts_);
  }

  PolicyWorld world_;
  FakeRates rates_;
  RatePolicy policy_{all_rates(), rates_};
  Facts facts_;
};

TEST_F(RateGather, CountsEachThingWhereItHappens) {
  Transaction mail = mail_of("192.0.2.1");
  verdict(Stage::connect, mail);
  mail.from = address("ann", "example.org");
  verdict(Stage::mail, mail);
  mail.rcpt = address("Bob", "example.com");
  verdict(Stage::rcpt, mail);
  EXPECT_EQ(rates_.keys,
            (std::vector<std::string>{"connect_per_ip 192.0.2.1", "mail_per_ip 192.0.2.1",
                                      "rcpt_per_sender_domain example.org", "mail_per_rcpt bob@example.com"}));
  ASSERT_TRUE(facts_.rate.connect && facts_.rate.mail && facts_.rate.rcpt);
  EXPECT_TRUE(facts_.rate.connect->allowed);
  EXPECT_EQ(facts_.rate.mail->rate, (Rate{300, 1h, 100}));
}

TEST_F(RateGather, CountsAnIpv6NetworkAsOneClient) {
  verdict(Stage::connect, mail_of("2001:db8:1:2::1"));
  verdict(Stage::connect, mail_of("2001:db8:1:2:3::1"));
  EXPECT_EQ(rates_.keys, std::vector<std::string>(2, "connect_per_ip 2001:db8:1:2::/64"));
}

TEST_F(RateGather, CountsTheNullSenderByTheClient) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = EnvelopeAddress{};
  mail.rcpt = address("Postmaster", "");
  verdict(Stage::rcpt, mail);
  EXPECT_EQ(rates_.keys,
            (std::vector<std::string>{"rcpt_per_sender_domain <> 192.0.2.1", "mail_per_rcpt postmaster@"}));
}

TEST_F(RateGather, EndsAConnectionThatIsOneTooMany) {
  rates_.used_up = {"connect_per_ip 192.0.2.1"};
  const Verdict refused = verdict(Stage::connect, mail_of("192.0.2.1"));
  EXPECT_EQ(refused.action, Action::tempfail);
  EXPECT_EQ(refused.code, 421);
  EXPECT_EQ(refused.dsn, "4.7.1");
  EXPECT_TRUE(refused.close);
  EXPECT_EQ(refused.because, "connect_per_ip 60/1m used up by 192.0.2.1, retry in 2s");
  EXPECT_EQ(world_.counters.get(Violation::rate_limit), 1u);
}

TEST_F(RateGather, DelaysMailAndRecipients) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("bob", "example.com");
  rates_.used_up = {"mail_per_ip 192.0.2.1", "rcpt_per_sender_domain example.org"};
  for (Stage stage : {Stage::mail, Stage::rcpt}) {
    const Verdict refused = verdict(stage, mail);
    EXPECT_EQ(refused.action, Action::tempfail);
    EXPECT_EQ(refused.code, 451);
    EXPECT_EQ(refused.dsn, "4.7.1");
    EXPECT_FALSE(refused.close);
  }
  EXPECT_EQ(facts_.rate.rcpt->name, "rcpt_per_sender_domain");
  EXPECT_EQ(rates_.keys.back(), "rcpt_per_sender_domain example.org") << "nothing more is taken once one has refused";
}

TEST_F(RateGather, LetsTheSecondRateDecideToo) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  mail.rcpt = address("bob", "example.com");
  rates_.used_up = {"mail_per_rcpt bob@example.com"};
  EXPECT_EQ(verdict(Stage::rcpt, mail).action, Action::tempfail);
  EXPECT_EQ(facts_.rate.rcpt->name, "mail_per_rcpt");
  mail.rcpt = address("carol", "example.com");
  EXPECT_EQ(verdict(Stage::rcpt, mail).action, Action::none) << "of one recipient nothing stays for the next";
}

TEST(RatePolicy, OnlyTakesPartWhereARateIsSet) {
  FakeRates rates;
  const RatePolicy all(all_rates(), rates);
  const RatePolicy none(RateSettings{Mode::enforce, {}, {}, {}, {}}, rates);
  for (Stage stage : {Stage::connect, Stage::mail, Stage::rcpt}) {
    EXPECT_TRUE(all.gathers_at(stage) && all.judges_at(stage));
    EXPECT_FALSE(none.gathers_at(stage) || none.judges_at(stage));
  }
  for (Stage stage : {Stage::helo, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_FALSE(all.gathers_at(stage) || all.judges_at(stage));
  }
}

TEST(RatePolicy, InShadowCountsNoViolation) {
  PolicyWorld world;
  FakeRates rates;
  rates.used_up = {"connect_per_ip 192.0.2.1"};
  RateSettings settings;
  settings.mode = Mode::shadow;
  const RatePolicy policy(settings, rates);
  Facts facts;
  world.gather(policy, Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_FALSE(facts.rate.connect->allowed);
  EXPECT_EQ(world.counters.get(Violation::rate_limit), 0u);
}

TEST(JudgeRate, HasNothingToSayWithoutFacts) {
  for (Stage stage : {Stage::connect, Stage::mail, Stage::rcpt}) {
    EXPECT_EQ(judge_rate(stage, RateFacts{}).action, Action::none);
  }
}

}  // namespace
}  // namespace sallyport::policies
