// The policy over a whole message: whose mail it is, what SPF, DKIM and ARC have found before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/arc/facts.h"
#include "policies/arc/trust.h"
#include "policies/dkim/facts.h"
#include "policies/dmarc/dmarc.h"
#include "policies/spf/facts.h"
#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

class DmarcOfAMessage : public testing::Test, protected PolicyWorld {
 protected:
  DmarcSettings settings_;

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
                             "From: <ann@example.com>, <bob@example.net>\r\n", "From: <ann@exa..mple>\r\n",
                             "From\r\n : <ann@example.com>\r\nSender: <bob@example.net>\r\n"}) {
    EXPECT_EQ(judge(header).dsn, "5.6.0") << header;
    EXPECT_EQ(dmarc.result, AuthResult::permerror) << header;
  }
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(DmarcOfAMessage, ASignatureThatFailsWithAKeyForTestsIsNone) {
  DkimFacts dkim;
  dkim.signatures.emplace_back();
  dkim.signatures[0].domain = "example.com";
  dkim.signatures[0].testing = true;
  for (const AuthResult result : {AuthResult::fail, AuthResult::temperror}) {
    dkim.signatures[0].result = result;
    facts.put(dkim);
    EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
    EXPECT_EQ(dmarc.result, AuthResult::fail);
  }
  dkim.signatures[0].result = AuthResult::pass;  // a pass is a pass
  facts.put(dkim);
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
}

TEST_F(DmarcOfAMessage, TheNameInHeloIsNobodys) {
  SpfFacts spf;
  spf.helo.emplace().domain = "example.com";
  spf.helo->result = AuthResult::pass;
  facts.put(spf);
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

// A chain of one set by a list, who says this in his ARC-Authentication-Results.
ArcFacts sealed(AuthResult chain, bool is_trusted, std::string_view results) {
  ArcFacts arc;
  arc.result = chain;
  ArcFacts::Set& set = arc.sets.emplace_back();
  set.instance = 1;
  set.seal_domain = "lists.example";
  read_results(results, set);
  if (is_trusted) arc.trusted = {1};
  return arc;
}
constexpr std::string_view passed_there = "mx.lists.example; dmarc=pass header.from=Example.COM";

TEST_F(DmarcOfAMessage, ATrustedSealersWordOverridesAFail) {
  sender_passed("lists.example");
  facts.put(sealed(AuthResult::pass, true, passed_there));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.result, AuthResult::fail);
  EXPECT_EQ(dmarc.override_reason, DmarcOverride::local_policy);
  EXPECT_EQ(dmarc.override_comment, "arc=pass as[1].d=lists.example");
}

TEST_F(DmarcOfAMessage, ASealersWordCountsOnlyWhereTheChainHoldsAndTheMailPassedThere) {
  facts.put(sealed(AuthResult::pass, true, "mx.lists.example; dmarc=fail header.from=example.com"));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.put(sealed(AuthResult::fail, true, passed_there));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
  facts.put(sealed(AuthResult::pass, false, passed_there));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject);
}

// D22
TEST_F(DmarcOfAMessage, ASealersWordIsOfTheAuthorItNamesOnly) {
  for (const char* from : {"example.net", "mail.example.com", "example.com.example.net", "com", "\"\""}) {
    facts.put(sealed(AuthResult::pass, true, "mx.lists.example; dmarc=pass header.from=" + std::string(from)));
    EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject) << from;
  }
  facts.put(sealed(AuthResult::pass, true, "mx.lists.example; dmarc=pass"));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject) << "of nobody";
  facts.put(sealed(AuthResult::pass, true, "mx; dmarc=pass header.from=x.example; dmarc=pass header.from=example.com"));
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
}

TEST_F(DmarcOfAMessage, ASealerWhoSaysNothingOfDmarcMayHaveSeenItPass) {
  struct Case {
    const char* results;
    Action action;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"mx.lists.example; dkim=pass header.d=example.com", Action::none},
           {"mx.lists.example; dkim=fail header.d=x.example; dkim=pass header.i=@mail.example.com", Action::none},
           {"mx.lists.example; spf=pass smtp.mailfrom=bounces@news.example.com", Action::none},
           {"mx.lists.example; spf=pass smtp.helo=example.com", Action::reject},
           {"mx.lists.example; dkim=pass header.d=example.net; spf=pass smtp.mailfrom=example.org", Action::reject},
           {"mx.lists.example; dkim=fail header.d=example.com; spf=softfail smtp.mailfrom=example.com", Action::reject},
           {"mx.lists.example; dkim=pass header.d=example.com; dmarc=fail header.from=example.com", Action::reject}}) {
    facts.put(sealed(AuthResult::pass, true, one.results));
    EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, one.action) << one.results;
  }
  resolver.zone().txt("_dmarc.strict.example", "v=DMARC1; p=reject; adkim=s");
  facts.put(sealed(AuthResult::pass, true, "mx.lists.example; dkim=pass header.d=mail.strict.example"));
  EXPECT_EQ(judge("From: <ann@strict.example>\r\n").action, Action::reject);
  facts.put(sealed(AuthResult::pass, true, "mx.lists.example; spf=pass smtp.mailfrom=mail.strict.example"));
  EXPECT_EQ(judge("From: <ann@strict.example>\r\n").action, Action::none);
}

DmarcException exception(const char* domain, const char* network) {
  return {domain, {IpNetwork::parse(network).value()}, "forwards for us"};
}

TEST_F(DmarcOfAMessage, WhatTheAdministratorExceptsIsLetPassAndTold) {
  settings_.score = 4;
  settings_.exceptions = {exception("other.example", "192.0.2.0/24"), exception("example.com", "192.0.2.0/30")};
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.result, AuthResult::fail);
  EXPECT_EQ(dmarc.effective, DmarcDisposition::none);
  EXPECT_EQ(dmarc.override_reason, DmarcOverride::local_policy);
  EXPECT_EQ(dmarc.override_comment, "forwards for us");
  const auto said = policies::judge(dmarc_entry, Stage::message, mail_of("192.0.2.1"), facts, &settings_);
  ASSERT_EQ(said.size(), 1u) << "it is among the symbols, and adds no score";
  EXPECT_EQ(said[0].rule, "local_policy");
  EXPECT_EQ(said[0].because, "forwards for us");
  EXPECT_EQ(said[0].score, 0);
  const auto& words = facts.tell().words;
  EXPECT_THAT(words, testing::Contains(std::pair<std::string_view, std::string>("local_policy", "forwards for us")));
}

TEST_F(DmarcOfAMessage, AnExceptionIsOfItsAuthorsAndNetworksOnly) {
  for (const auto& [domain, network] : std::initializer_list<std::pair<const char*, const char*>>{
           {"example.com", "192.0.2.8/29"}, {"example.net", "0.0.0.0/0"}, {"*.example.com", "0.0.0.0/0"}}) {
    settings_.exceptions = {exception(domain, network)};
    EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::reject) << domain << network;
    EXPECT_EQ(dmarc.override_reason, DmarcOverride::none);
  }
  settings_.exceptions = {exception("*.example.com", "192.0.2.1/32")};
  EXPECT_EQ(judge("From: <ann@mail.example.com>\r\n").action, Action::none);
  // What passes, or is asked for by nobody, needs none.
  sender_passed("mail.example.com");
  EXPECT_EQ(judge("From: <ann@mail.example.com>\r\n").action, Action::none);
  EXPECT_EQ(dmarc.override_reason, DmarcOverride::none);
}

TEST_F(DmarcOfAMessage, AnExceptionHoldsWhileTheDnsDoesNotAnswer) {
  resolver.zone().set("_dmarc.example.com", dns::Type::TXT, dns::Status::servfail);
  settings_.on_temperror = DmarcErrorAction::tempfail;
  EXPECT_EQ(judge("From: <ann@example.com>\r\n").action, Action::tempfail);
  settings_.exceptions = {exception("example.com", "192.0.2.1/32")};
  const Verdict first = judge("From: <ann@example.com>\r\n");
  EXPECT_EQ(first.action, Action::none);
  EXPECT_EQ(first.rule, "local_policy");
}

TEST_F(DmarcOfAMessage, ToAnAuthorWithoutADomainItDoesNotApply) {
  for (const char* from : {"Ann", "", "<>", "Mail System <MAILER-DAEMON>", "reports:;", "scanner@[192.0.2.70]",
                           "<scanner@[IPv6:2001:db8::1]>", "root@"}) {
    EXPECT_EQ(judge("From: " + std::string(from) + "\r\n").action, Action::none) << from;
    EXPECT_EQ(dmarc.result, AuthResult::none) << from;
    EXPECT_EQ(dmarc.problem, "the author has no domain") << from;
  }
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(DmarcOfAMessage, WhatThePhraseShowsIsScoredAndNoAuthor) {
  sender_passed("example.com");
  Verdict verdict = judge("From: service@bank.example <ann@example.com>\r\n");
  EXPECT_EQ(dmarc.result, AuthResult::pass);
  EXPECT_EQ(verdict.rule, "from_phrase");
  EXPECT_EQ(verdict.score, 1);
  EXPECT_EQ(verdict.because, "the phrase of From shows bank.example, the author's address is of example.com");
  settings_.phrase_score = 2.5;
  EXPECT_EQ(judge("From: \"service@bank.example\" <ann@example.com>\r\n").score, 2.5);
  EXPECT_EQ(judge("From: =?utf-8?q?service=40bank.example?= <ann@example.com>\r\n").score, 2.5);
  for (const char* from : {"Ann @ Work <ann@example.com>", "ann@mail.example.com <ann@example.com>", "ann@example.com",
                           "@ann <ann@example.com>", "50% @ home <ann@example.com>"}) {
    EXPECT_EQ(judge("From: " + std::string(from) + "\r\n").score, 0) << from;
    EXPECT_EQ(dmarc.result, AuthResult::pass) << from;
  }
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
