// The policy over a whole message: whose mail it is, what SPF, DKIM and ARC have found before.
#include <gtest/gtest.h>

#include "policies/arc/facts.h"
#include "policies/dkim/facts.h"
#include "policies/dmarc/dmarc.h"
#include "policies/spf/facts.h"
#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

class DmarcOfAMessage : public testing::Test, protected PolicyWorld {
 protected:
  DmarcOfAMessage() { resolver.zone().txt("_dmarc.example.com", "v=DMARC1; p=reject"); }

  Verdict judge(const std::string& header) {
    mail::Message message({}, spool_);
    message.append(header + "\r\nHello.\r\n");
    message.parse_header();
    Transaction mail = mail_of("192.0.2.1");
    mail.message = &message;
    gather(*prepare(dmarc_entry, &settings_), Stage::message, mail, facts);
    dmarc = facts.get<DmarcFacts>();
    const auto said = policies::judge(dmarc_entry, Stage::message, mail, facts, &settings_);
    return said.empty() ? Verdict() : said.front();
  }
  void sender_passed(const std::string& domain) {
    SpfFacts spf;
    spf.mailfrom.emplace();
    spf.mailfrom->domain = domain;
    spf.mailfrom->result = AuthResult::pass;
    facts.put(spf);
  }

  Facts facts;
  DmarcFacts dmarc;  // of the mail judged last

 private:
  mail::FakeSpool spool_;
  const DmarcSettings settings_;
};

TEST_F(DmarcOfAMessage, RefusesWhatNobodyStandsBehind) {
  sender_passed("attacker.example");
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  EXPECT_EQ(dmarc.result, AuthResult::fail);
  EXPECT_NE(facts.find<DmarcFacts>(), nullptr);
}

TEST_F(DmarcOfAMessage, LetsTheAuthorsOwnMailPass) {
  sender_passed("example.com");
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.result, AuthResult::pass);
}

TEST_F(DmarcOfAMessage, ASignatureOfTheAuthorsDomainIsEnough) {
  sender_passed("lists.example");
  DkimFacts dkim;
  dkim.signatures.emplace_back();
  dkim.signatures[0].domain = "example.com";
  dkim.signatures[0].result = AuthResult::pass;
  facts.put(dkim);
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_TRUE(dmarc.dkim_aligned);
}

// D21
TEST_F(DmarcOfAMessage, WithoutOneAuthorItIsRefusedWhoeverSentIt) {
  sender_passed("example.com");
  for (const char* header : {"Subject: x\r\n", "From: <ann@example.com>\r\nFrom: <ann@example.com>\r\n",
                             "From: <ann@example.com>, <bob@example.net>\r\n", "From: Ann\r\n",
                             "From\r\n : <ann@example.com>\r\nSender: <bob@example.net>\r\n"}) {
    EXPECT_EQ(judge(header).dsn, "5.6.0") << header;
    EXPECT_EQ(dmarc.result, AuthResult::permerror) << header;
  }
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(DmarcOfAMessage, ASignatureWithAKeyForTestsIsNone) {
  DkimFacts dkim;
  dkim.signatures.emplace_back();
  dkim.signatures[0].domain = "example.com";
  dkim.signatures[0].result = AuthResult::pass;
  dkim.signatures[0].testing = true;
  facts.put(dkim);
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

TEST_F(DmarcOfAMessage, TheNameInHeloIsNobodys) {
  SpfFacts spf;
  spf.helo.emplace().domain = "example.com";
  spf.helo->result = AuthResult::pass;
  facts.put(spf);
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

ArcFacts sealed(AuthResult chain, unsigned instance, AuthResult dmarc) {
  ArcFacts arc;
  arc.result = chain;
  arc.trusted_instance = instance;
  arc.trusted_sealer = "lists.example";
  arc.trusted_dmarc = dmarc;
  return arc;
}

TEST_F(DmarcOfAMessage, ATrustedSealersWordOverridesAFail) {
  sender_passed("lists.example");
  facts.put(sealed(AuthResult::pass, 1, AuthResult::pass));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.result, AuthResult::fail);
  EXPECT_EQ(dmarc.override_reason, DmarcOverride::local_policy);
  EXPECT_EQ(dmarc.override_comment, "arc=pass as[1].d=lists.example");
}

TEST_F(DmarcOfAMessage, ASealersWordCountsOnlyWhereTheChainHoldsAndTheMailPassedThere) {
  facts.put(sealed(AuthResult::pass, 1, AuthResult::fail));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.put(sealed(AuthResult::fail, 1, AuthResult::pass));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.put(sealed(AuthResult::pass, 0, AuthResult::pass));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

TEST_F(DmarcOfAMessage, TestModeIsTold) {
  resolver.zone().txt("_dmarc.example.net", "v=DMARC1; p=reject; t=y");
  EXPECT_EQ(judge("From: <ann@example.net>\r\n").action, Action::tag);
  EXPECT_EQ(dmarc.override_reason, DmarcOverride::policy_test_mode);
}

TEST_F(DmarcOfAMessage, NothingOfAnEarlierMailStays) {
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  EXPECT_EQ(judge("From: <ann@example.net>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.from_domain, "example.net");
  EXPECT_EQ(dmarc.policy_domain, "");
}

}  // namespace
}  // namespace sallyport::policies
