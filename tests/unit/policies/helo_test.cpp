// What clients call themselves.
#include "policies/helo/helo.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using Finding = HeloFacts::Finding;

struct HeloCase {
  std::string helo;
  const char* client;
  Finding finding;
};

void PrintTo(const HeloCase& given, std::ostream* out) { *out << given.helo << " from " << given.client; }

class ExamineHelo : public testing::TestWithParam<HeloCase> {};

TEST_P(ExamineHelo, Finds) {
  const OwnNames own("mx1.example.com", {"example.com", "*.acme.example"});
  EXPECT_EQ(examine_helo(GetParam().helo, *IpAddress::parse(GetParam().client), own), GetParam().finding);
}

INSTANTIATE_TEST_SUITE_P(Names, ExamineHelo,
                         testing::Values(HeloCase{"mail.example.org", "192.0.2.1", Finding::ok},
                                         HeloCase{"mail.example.org.", "192.0.2.1", Finding::ok},
                                         HeloCase{"under_score.example.org", "192.0.2.1", Finding::ok},
                                         HeloCase{"MX1.example.com", "192.0.2.1", Finding::own_name},
                                         HeloCase{"example.com", "192.0.2.1", Finding::own_name},
                                         HeloCase{"Example.com.", "192.0.2.1", Finding::own_name},
                                         HeloCase{"www.example.com", "192.0.2.1", Finding::ok},
                                         HeloCase{"host.acme.example", "192.0.2.1", Finding::ok},
                                         HeloCase{"desktop", "192.0.2.1", Finding::not_fully_qualified},
                                         HeloCase{"localhost", "192.0.2.1", Finding::localhost},
                                         HeloCase{"LocalHost.localdomain", "192.0.2.1", Finding::localhost},
                                         HeloCase{"host.localhost", "192.0.2.1", Finding::localhost},
                                         HeloCase{"notlocalhost", "192.0.2.1", Finding::not_fully_qualified},
                                         HeloCase{"a..b", "192.0.2.1", Finding::bad_syntax},
                                         HeloCase{"", "192.0.2.1", Finding::bad_syntax}));

INSTANTIATE_TEST_SUITE_P(Addresses, ExamineHelo,
                         testing::Values(HeloCase{"192.0.2.1", "192.0.2.1", Finding::bare_ip},
                                         HeloCase{"2001:db8::1", "2001:db8::1", Finding::bare_ip},
                                         HeloCase{"[192.0.2.1]", "192.0.2.1", Finding::ok},
                                         HeloCase{"[192.0.2.2]", "192.0.2.1", Finding::literal_of_another},
                                         HeloCase{"[IPv6:2001:db8::1]", "2001:db8:0:0::1", Finding::ok},
                                         HeloCase{"[ipv6:2001:db8::2]", "2001:db8::1", Finding::literal_of_another},
                                         HeloCase{"[192.0.2.1", "192.0.2.1", Finding::bad_syntax},
                                         HeloCase{"[", "192.0.2.1", Finding::bad_syntax},
                                         HeloCase{"[]", "192.0.2.1", Finding::bad_syntax},
                                         HeloCase{"[x.example]", "192.0.2.1", Finding::bad_syntax}));

INSTANTIATE_TEST_SUITE_P(OfThisMachine, ExamineHelo,
                         testing::Values(HeloCase{"mx1.example.com", "127.0.0.1", Finding::ok},
                                         HeloCase{"localhost", "::1", Finding::ok},
                                         HeloCase{"[127.0.0.1]", "127.0.0.1", Finding::ok},
                                         HeloCase{"desktop", "127.0.0.1", Finding::not_fully_qualified}));

TEST(JudgeHelo, RefusesOurOwnNameAtMail) {
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "mx1.example.com";
  const Verdict verdict = judge_helo(Stage::mail, mail, {Finding::own_name}, HeloSettings{});
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.1");
  EXPECT_EQ(verdict.because, "HELO mx1.example.com is our own name");
  EXPECT_EQ(judge_helo(Stage::message, mail, {Finding::own_name}, HeloSettings{}).score, 0);
}

TEST(JudgeHelo, OnlyScoresWhatIsLegal) {
  const Transaction mail = mail_of("192.0.2.1");
  for (Finding finding : {Finding::bare_ip, Finding::literal_of_another, Finding::not_fully_qualified,
                          Finding::localhost, Finding::bad_syntax}) {
    EXPECT_EQ(judge_helo(Stage::mail, mail, {finding}, HeloSettings{}).action, Action::none);
    EXPECT_EQ(judge_helo(Stage::mail, mail, {finding}, HeloSettings{}).score, 0);
    const Verdict verdict = judge_helo(Stage::message, mail, {finding}, HeloSettings{});
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_DOUBLE_EQ(verdict.score, 2.0);
    EXPECT_FALSE(verdict.because.empty());
  }
  EXPECT_EQ(judge_helo(Stage::message, mail, {Finding::ok}, HeloSettings{}).score, 0);
}

TEST(HeloPolicy, GathersFromTheGreetingAndForgetsTheOneBefore) {
  PolicyWorld world;
  const HeloPolicy policy(HeloSettings{}, OwnNames("mx1.example.com", {}));
  Facts facts;
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "desktop";
  world.gather(policy, Stage::helo, mail, facts);
  EXPECT_EQ(facts.helo.finding, Finding::not_fully_qualified);
  EXPECT_DOUBLE_EQ(policy.judge(Stage::message, mail, facts).score, 2.0);
  mail.client.helo = "mail.example.org";
  world.gather(policy, Stage::helo, mail, facts);
  EXPECT_EQ(facts.helo.finding, Finding::ok);
}

TEST(HeloPolicy, TakesPartAtItsStages) {
  const HeloPolicy policy(HeloSettings{}, OwnNames("mx1.example.com", {}));
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(policy.gathers_at(stage), stage == Stage::helo);
    EXPECT_EQ(policy.judges_at(stage), stage == Stage::mail || stage == Stage::message);
  }
}

}  // namespace
}  // namespace sallyport::policies
