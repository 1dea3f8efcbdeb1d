// What clients call themselves.
#include "policies/helo/helo.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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
  const OwnNames own{"mx1.example.com", [](std::string_view domain) { return domain == "example.com"; }};
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

std::vector<Verdict> judge_finding(Stage stage, const Transaction& mail, Finding finding) {
  return judge(helo_entry, stage, mail, facts_with(HeloFacts{finding}), HeloSettings());
}

TEST(JudgeHelo, RefusesOurOwnNameAtMail) {
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "mx1.example.com";
  const Verdict verdict = only(judge_finding(Stage::mail, mail, Finding::own_name));
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.1");
  EXPECT_EQ(verdict.because, "HELO mx1.example.com is our own name");
  EXPECT_TRUE(judge_finding(Stage::message, mail, Finding::own_name).empty());
}

TEST(JudgeHelo, OnlyScoresWhatIsLegal) {
  const Transaction mail = mail_of("192.0.2.1");
  for (Finding finding : {Finding::bare_ip, Finding::literal_of_another, Finding::not_fully_qualified,
                          Finding::localhost, Finding::bad_syntax}) {
    EXPECT_TRUE(judge_finding(Stage::mail, mail, finding).empty());
    const Verdict verdict = only(judge_finding(Stage::message, mail, finding));
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_DOUBLE_EQ(verdict.score, 2.0);
    EXPECT_FALSE(verdict.because.empty());
  }
}

TEST(JudgeHelo, HasNothingToSayOfAGoodNameOrWithoutFacts) {
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_TRUE(judge_finding(stage, mail_of("192.0.2.1"), Finding::ok).empty());
    EXPECT_TRUE(judge(helo_entry, stage, mail_of("192.0.2.1"), Facts(), HeloSettings()).empty());
  }
}

TEST(ExplainHelo, NamesTheFinding) {
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "desktop";
  EXPECT_EQ(explain_helo(mail, Facts(), HeloSettings()).result, "not run");
  EXPECT_EQ(explain_helo(mail, facts_with(HeloFacts{Finding::ok}), HeloSettings()).result, "ok");
  const Explained explained = explain_helo(mail, facts_with(HeloFacts{Finding::not_fully_qualified}), HeloSettings());
  EXPECT_EQ(explained.result, "fail");
  EXPECT_EQ(explained.fact, "desktop: not fully qualified");
}

TEST(HeloGatherer, LooksAtTheGreetingAndForgetsTheOneBefore) {
  PolicyWorld world;
  const auto gatherer = world.prepare(helo_entry, HeloSettings());
  Facts facts;
  Transaction mail = mail_of("192.0.2.1");
  const auto finding_of = [&](const std::string& helo) {
    mail.client.helo = helo;
    world.gather(*gatherer, Stage::helo, mail, facts);
    return facts.get<HeloFacts>().finding;
  };
  EXPECT_EQ(finding_of("desktop"), Finding::not_fully_qualified);
  EXPECT_EQ(finding_of("mail.example.org"), Finding::ok);
  EXPECT_EQ(finding_of("Example.NET"), Finding::own_name) << "a domain that is served here";
}

TEST(HeloGatherer, GathersAtHeloAlone) {
  PolicyWorld world;
  const auto gatherer = world.prepare(helo_entry, HeloSettings());
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(gatherer->gathers_at(stage), stage == Stage::helo);
  }
}

}  // namespace
}  // namespace sallyport::policies
