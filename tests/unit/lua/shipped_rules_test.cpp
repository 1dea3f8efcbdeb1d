// The rules that are shipped in lua/rules, each with what it is there for and what it must leave alone.
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;
using testing::ElementsAre;
using testing::Pair;

class ShippedRules : public RulesTest {
 protected:
  ShippedRules() {
    settings.path = "lua/rules";
    load();
  }

  RunResult run_rule(const std::string& name) {
    for (const Rule& rule : rules->rules()) {
      if (rule.name == name) return rules->run(rule, mail, facts);
    }
    ADD_FAILURE() << "no rule " << name;
    return {};
  }
  RunResult with_subject(const std::string& subject) {
    set_message("Subject: " + subject + "\r\n\r\n");
    return run_rule("SUBJECT_WORDS");
  }
};

TEST_F(ShippedRules, SubjectWords) {
  RunResult result = with_subject("Cheap V1agra here");
  EXPECT_EQ(result.fact.score, 2.5);
  EXPECT_EQ(result.fact.detail, "pharmacy");
  EXPECT_EQ(with_subject("v.i.a.g.r.a").fact.detail, "pharmacy");
  EXPECT_EQ(with_subject("buy v i a g r a now").fact.detail, "pharmacy");
  result = with_subject("You won: LOTTERY winner of 5 million dollars");
  EXPECT_EQ(result.fact.detail, "advance_fee,lottery");
  EXPECT_EQ(result.fact.score, 5);
  EXPECT_EQ(with_subject("Your mailbox will be deactivated").fact.detail, "account_scare");
}

TEST_F(ShippedRules, SubjectWordsLeavesOthersAlone) {
  for (const char* subject : {"Minutes of Monday", "Specialist wanted", "A e i o u", "Password policy", ""}) {
    EXPECT_EQ(with_subject(subject).kind, Kind::silent) << subject;
  }
  set_message("From: ann@example.org\r\n\r\n");
  EXPECT_EQ(run_rule("SUBJECT_WORDS").kind, Kind::silent);
}

TEST_F(ShippedRules, OwnDomainFromOutside) {
  set_message("From: Boss <boss@EXAMPLE.com>\r\n\r\n");
  const RunResult result = run_rule("OWN_DOMAIN_FROM_OUTSIDE");
  EXPECT_EQ(result.kind, Kind::verdict);
  EXPECT_EQ(result.fact.detail, "example.com");
  EXPECT_EQ(result.fact.score, 4);
  EXPECT_TRUE(result.fact.shadow);
}

TEST_F(ShippedRules, OwnDomainFromOutsideLeavesOthersAlone) {
  for (const char* header : {"From: ann@example.org\r\n\r\n", "From: nobody\r\n\r\n", "Subject: x\r\n\r\n"}) {
    set_message(header);
    EXPECT_EQ(run_rule("OWN_DOMAIN_FROM_OUTSIDE").kind, Kind::silent) << header;
  }
}

TEST_F(ShippedRules, PlainConnection) {
  set_message("Subject: x\r\n\r\n");
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "no-tls")));
  mail.client.helo = "[192.0.2.7]";
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "no-tls, address-helo")));
  mail.client.tls = policies::TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "", false, false, ""};
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "address-helo")));
  mail.client.helo = "mail.example.org";
  EXPECT_EQ(run_rule("PLAIN_CONNECTION").kind, Kind::silent);
}

TEST_F(ShippedRules, StayWithinTheirBudgetOnLongSubjects) {
  for (const char* piece : {"v i a g r a ", "lottery ", "account ", "a.b.c.", "million "}) {
    std::string subject;
    while (subject.size() < 60'000) subject += piece;
    const RunResult result = with_subject(subject);
    EXPECT_TRUE(result.kind == Kind::verdict || result.kind == Kind::silent) << piece;
  }
}

}  // namespace
}  // namespace sallyport::lua
