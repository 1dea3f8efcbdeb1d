// The policy over a whole message: whose mail it is, what SPF, DKIM and ARC have found before.
#include <gtest/gtest.h>

#include "policies/dmarc/dmarc.h"
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
    gather(policy_, Stage::message, mail, facts);
    return policy_.judge(Stage::message, mail, facts);
  }
  void sender_passed(const std::string& domain) {
    facts.spf.mailfrom.emplace();
    facts.spf.mailfrom->domain = domain;
    facts.spf.mailfrom->result = AuthResult::pass;
  }

  Facts facts;

 private:
  mail::FakeSpool spool_;
  const PublicSuffixList suffixes_;
  const DmarcPolicy policy_{{}, suffixes_};
};

TEST_F(DmarcOfAMessage, RefusesWhatNobodyStandsBehind) {
  sender_passed("attacker.example");
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  EXPECT_EQ(facts.dmarc.result, AuthResult::fail);
  EXPECT_TRUE(facts.dmarc.checked);
}

TEST_F(DmarcOfAMessage, LetsTheAuthorsOwnMailPass) {
  sender_passed("example.com");
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(facts.dmarc.result, AuthResult::pass);
}

TEST_F(DmarcOfAMessage, ASignatureOfTheAuthorsDomainIsEnough) {
  sender_passed("lists.example");
  facts.dkim.signatures.emplace_back();
  facts.dkim.signatures[0].domain = "example.com";
  facts.dkim.signatures[0].result = AuthResult::pass;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_TRUE(facts.dmarc.dkim_aligned);
}

// D21
TEST_F(DmarcOfAMessage, WithoutOneAuthorItIsRefusedWhoeverSentIt) {
  sender_passed("example.com");
  for (const char* header : {"Subject: x\r\n", "From: <ann@example.com>\r\nFrom: <ann@example.com>\r\n",
                             "From: <ann@example.com>, <bob@example.net>\r\n", "From: Ann\r\n",
                             "From\r\n : <ann@example.com>\r\nSender: <bob@example.net>\r\n"}) {
    EXPECT_EQ(judge(header).dsn, "5.6.0") << header;
    EXPECT_EQ(facts.dmarc.result, AuthResult::permerror) << header;
  }
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(DmarcOfAMessage, ATrustedSealersWordOverridesAFail) {
  sender_passed("lists.example");
  facts.arc.result = AuthResult::pass;
  facts.arc.trusted_instance = 1;
  facts.arc.trusted_sealer = "lists.example";
  facts.arc.trusted_dmarc = AuthResult::pass;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(facts.dmarc.result, AuthResult::fail);
  EXPECT_EQ(facts.dmarc.override_reason, "local_policy");
  EXPECT_EQ(facts.dmarc.override_comment, "arc=pass as[1].d=lists.example");
}

TEST_F(DmarcOfAMessage, ASealersWordCountsOnlyWhereTheChainHoldsAndTheMailPassedThere) {
  facts.arc.result = AuthResult::pass;
  facts.arc.trusted_instance = 1;
  facts.arc.trusted_dmarc = AuthResult::fail;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.arc.trusted_dmarc = AuthResult::pass;
  facts.arc.result = AuthResult::fail;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.arc.result = AuthResult::pass;
  facts.arc.trusted_instance = 0;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

TEST_F(DmarcOfAMessage, NothingOfAnEarlierMailStays) {
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  EXPECT_EQ(judge("From: <ann@example.net>\r\n").action, Action::none);
  EXPECT_EQ(facts.dmarc.from_domain, "example.net");
  EXPECT_EQ(facts.dmarc.policy_domain, "");
}

}  // namespace
}  // namespace sallyport::policies
