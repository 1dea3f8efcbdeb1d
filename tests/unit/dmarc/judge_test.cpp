#include <gtest/gtest.h>

#include "policies/dmarc/dmarc.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

DmarcFacts failed(DmarcDisposition asked_for) {
  DmarcFacts facts;
  facts.result = AuthResult::fail;
  facts.from_domain = "mail.example.com";
  facts.policy_domain = "example.com";
  facts.published = DmarcTag::sp;
  facts.policy = facts.effective = asked_for;
  return facts;
}

Verdict judge_dmarc(const DmarcFacts& found, const DmarcSettings& settings, Stage stage = Stage::message) {
  Facts facts;
  facts.put(found);
  Verdicts said;
  policies::judge_dmarc(stage, mail_of("192.0.2.1"), facts, settings, said);
  return only(said);
}

TEST(DmarcJudge, ARejectPolicyRefuses) {
  const Verdict verdict = judge_dmarc(failed(DmarcDisposition::reject), {});
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.1");
  EXPECT_EQ(verdict.text, "Rejected by the DMARC policy of example.com");
  EXPECT_EQ(verdict.because, "dmarc=fail from mail.example.com, sp=reject of example.com");
}

TEST(DmarcJudge, OrIsWhatTheAdministratorMakesOfIt) {
  DmarcSettings settings;
  settings.on_reject = DmarcAction::quarantine;
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::reject), settings).action, Action::quarantine);
  settings.on_reject = DmarcAction::tag;
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::reject), settings).action, Action::tag);
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::quarantine), settings).action, Action::tag);
  settings.on_quarantine = DmarcAction::reject;
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::quarantine), settings).action, Action::reject);
}

TEST(DmarcJudge, APolicyOfNoneChangesNothingButTheScore) {
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::none), {}).action, Action::none);
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::none), {}).score, 0);
  DmarcSettings settings;
  settings.score = 1.5;
  EXPECT_EQ(judge_dmarc(failed(DmarcDisposition::none), settings).score, 1.5);
}

TEST(DmarcJudge, WhatWasOverriddenIsTakenAsItWasLeft) {
  DmarcFacts facts = failed(DmarcDisposition::reject);
  facts.effective = DmarcDisposition::none;
  facts.override_reason = DmarcOverride::local_policy;
  facts.override_comment = "arc=pass as[1].d=lists.example";
  DmarcSettings settings;
  settings.score = 3;
  const Verdict verdict = judge_dmarc(facts, settings);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 0);
  EXPECT_EQ(verdict.rule, "local_policy");  // a symbol that says so
  EXPECT_EQ(verdict.because, "arc=pass as[1].d=lists.example");
}

TEST(DmarcJudge, TestModeIsMilder) {
  DmarcFacts facts = failed(DmarcDisposition::reject);
  facts.testing = true;
  facts.effective = DmarcDisposition::quarantine;
  facts.override_reason = DmarcOverride::policy_test_mode;
  EXPECT_EQ(judge_dmarc(facts, {}).action, Action::tag);
  EXPECT_EQ(judge_dmarc(facts, {}).because,
            "dmarc=fail from mail.example.com, sp=reject of example.com, policy_test_mode");
}

TEST(DmarcJudge, PassAndNoneSayNothing) {
  DmarcFacts facts = failed(DmarcDisposition::reject);
  for (AuthResult result : {AuthResult::pass, AuthResult::none}) {
    facts.result = result;
    const Verdict verdict = judge_dmarc(facts, {});
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_EQ(verdict.score, 0);
  }
}

// D21
TEST(DmarcJudge, TroubleOfTheDnsNeverRefusesForGood) {
  DmarcFacts facts = failed(DmarcDisposition::reject);
  facts.result = AuthResult::temperror;
  facts.problem = "the organization's record could not be asked for";
  const Verdict unknown = judge_dmarc(facts, {});
  EXPECT_EQ(unknown.action, Action::none);
  EXPECT_TRUE(unknown.is_unknown);
  EXPECT_EQ(unknown.because, facts.problem);
  DmarcSettings settings;
  settings.on_temperror = DmarcErrorAction::tempfail;
  const Verdict verdict = judge_dmarc(facts, settings);
  EXPECT_EQ(verdict.action, Action::tempfail);
  EXPECT_EQ(verdict.code, 451);
  EXPECT_EQ(verdict.dsn, "4.4.3");
  EXPECT_TRUE(verdict.is_unknown);
}

// D21, M4
TEST(DmarcJudge, MailWithoutOneAuthorIsRefused) {
  DmarcFacts facts;
  facts.result = AuthResult::permerror;
  facts.problem = "several From fields";
  const Verdict verdict = judge_dmarc(facts, {});
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.6.0");
  EXPECT_EQ(verdict.because, "several From fields");
}

TEST(DmarcJudge, SaysNothingAtOtherStagesNorWithoutFacts) {
  for (Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers})
    EXPECT_FALSE(judge_dmarc(failed(DmarcDisposition::reject), {}, stage).says_something()) << word(stage);
  const DmarcSettings settings;
  EXPECT_TRUE(judge(dmarc_entry, Stage::message, mail_of("192.0.2.1"), Facts(), &settings).empty());
}

}  // namespace
}  // namespace sallyport::policies
