// The verdict on a listed client, from the facts alone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policies/dnsbl/dnsbl.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

DnsblFacts hits(std::vector<DnsblFacts::Hit> list) {
  DnsblFacts facts;
  facts.hits = std::move(list);
  return facts;
}

Transaction mail_to(const std::string& local, const std::string& domain) {
  Transaction mail = mail_of("192.0.2.1");
  mail.rcpt = address(local, domain);
  return mail;
}

TEST(JudgeDnsbl, RefusesAtTheThreshold) {
  const Verdict verdict = judge_dnsbl(Stage::rcpt, mail_to("bob", "example.com"),
                                      hits({{"zen.dnsbl.example", {"127.0.0.2", "127.0.0.4"}, 8}}), DnsblSettings{});
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.1");
  EXPECT_EQ(verdict.text, "Listed by zen.dnsbl.example");
  EXPECT_EQ(verdict.because, "zen.dnsbl.example=127.0.0.2,127.0.0.4(8): sum 8 of 8");
}

struct SumCase {
  const char* what;
  std::vector<double> scores;
  Action at_rcpt;
  std::string named;
  double at_message;
};

class DnsblSums : public testing::TestWithParam<SumCase> {};

TEST_P(DnsblSums, Decide) {
  DnsblFacts facts;
  for (std::size_t i = 0; i < GetParam().scores.size(); ++i) {
    facts.hits.push_back({std::string("list") + std::to_string(i), {"127.0.0.2"}, GetParam().scores[i]});
  }
  const Verdict refusal = judge_dnsbl(Stage::rcpt, mail_to("bob", "example.com"), facts, DnsblSettings{});
  EXPECT_EQ(refusal.action, GetParam().at_rcpt) << GetParam().what;
  EXPECT_EQ(refusal.text, GetParam().named) << GetParam().what;
  EXPECT_EQ(refusal.score, 0) << GetParam().what;
  const Verdict scored = judge_dnsbl(Stage::message, mail_to("bob", "example.com"), facts, DnsblSettings{});
  EXPECT_EQ(scored.action, Action::none) << GetParam().what;
  EXPECT_DOUBLE_EQ(scored.score, GetParam().at_message) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    JudgeDnsbl, DnsblSums,
    testing::Values(SumCase{"no hit", {}, Action::none, "", 0},  //
                    SumCase{"below", {4, 3.5}, Action::none, "", 7.5},
                    SumCase{"several make it", {3, 5}, Action::reject, "Listed by list1", 8},
                    SumCase{"the worst is named", {5, 6, 1}, Action::reject, "Listed by list1", 8},
                    SumCase{"an allow list saves", {9, -5}, Action::none, "", 4},
                    SumCase{"an allow list is too weak", {15, -5}, Action::reject, "Listed by list0", 8},
                    SumCase{"only allowed", {-5}, Action::none, "", -5}));

TEST(JudgeDnsbl, AcceptsMailToComplainBy) {
  const DnsblFacts facts = hits({{"zen.dnsbl.example", {"127.0.0.2"}, 20}});
  struct Case {
    const char* local;
    const char* domain;
    Action action;
  };
  for (const Case& given :
       {Case{"postmaster", "example.com", Action::none}, Case{"PostMaster", "example.com", Action::none},
        Case{"ABUSE", "other.example", Action::none}, Case{"Postmaster", "", Action::none},
        Case{"postmaster2", "example.com", Action::reject}, Case{"abuse.x", "example.com", Action::reject},
        Case{"bob", "postmaster.example", Action::reject}}) {
    const Transaction mail = mail_to(given.local, given.domain);
    EXPECT_EQ(judge_dnsbl(Stage::rcpt, mail, facts, DnsblSettings{}).action, given.action) << given.local;
  }
  // At the end the listing marks the mail, but alone it does not refuse what it let pass.
  EXPECT_DOUBLE_EQ(judge_dnsbl(Stage::message, mail_to("abuse", "example.com"), facts, DnsblSettings{}).score, 8);
}

TEST(JudgeDnsbl, NeedsAListingHoweverLowTheThreshold) {
  DnsblSettings settings;
  settings.reject_at = -10;
  const Transaction mail = mail_to("bob", "example.com");
  EXPECT_EQ(judge_dnsbl(Stage::rcpt, mail, {}, settings).action, Action::none);
  EXPECT_EQ(judge_dnsbl(Stage::rcpt, mail, hits({{"white.example", {"127.0.0.2"}, -5}}), settings).action,
            Action::none);
}

TEST(JudgeDnsbl, HasNothingToSayOfFailedLists) {
  DnsblFacts facts;
  facts.failed_zones = {"zen.dnsbl.example"};
  EXPECT_EQ(judge_dnsbl(Stage::rcpt, mail_to("bob", "example.com"), facts, DnsblSettings{}).action, Action::none);
  EXPECT_EQ(judge_dnsbl(Stage::message, mail_to("bob", "example.com"), facts, DnsblSettings{}).score, 0);
}

}  // namespace
}  // namespace sallyport::policies
