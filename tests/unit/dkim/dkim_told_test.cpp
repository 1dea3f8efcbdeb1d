// What DKIM makes of its facts: the verdict, the field for servers behind us, the explanation, and what it tells those
// who do not know its facts.
#include <gtest/gtest.h>

#include "policies/dkim/dkim.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

DkimFacts::Signature signature_of(AuthResult result, std::string reason = "broken", bool testing = false) {
  DkimFacts::Signature signature;
  signature.result = result;
  signature.testing = testing;
  signature.domain = "example.org";
  if (result != AuthResult::pass) signature.reason = std::move(reason);
  return signature;
}

Facts facts_of(std::vector<DkimFacts::Signature> signatures) {
  DkimFacts found;
  found.fields_found = signatures.size();
  found.signatures = std::move(signatures);
  Facts facts;
  facts.put(found);
  return facts;
}

std::vector<Verdict> judge(const Facts& facts, double score) {
  DkimSettings settings;
  settings.score = score;
  return policies::judge(dkim_entry, Stage::message, mail_of("192.0.2.1"), facts, &settings);
}

double score_of(std::vector<DkimFacts::Signature> signatures) {
  double sum = 0;
  for (const Verdict& verdict : judge(facts_of(std::move(signatures)), 1.5)) sum += verdict.score;
  return sum;
}

TEST(JudgeDkim, CountsOnlyMailWhoseSignaturesAreAllBroken) {
  EXPECT_TRUE(judge(facts_of({signature_of(AuthResult::fail)}), 0).empty()) << "RFC 6376, 6.1";
  const auto said = judge(facts_of({signature_of(AuthResult::fail)}), 1.5);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].score, 1.5);
  EXPECT_EQ(said[0].action, Action::none);
  EXPECT_EQ(said[0].because, "no signature holds; example.org: broken");
  EXPECT_EQ(score_of({signature_of(AuthResult::policy)}), 1.5);
  EXPECT_EQ(score_of({signature_of(AuthResult::permerror), signature_of(AuthResult::pass)}), 0);
  EXPECT_EQ(score_of({}), 0);
  EXPECT_EQ(score_of({signature_of(AuthResult::fail, "broken", true)}), 0) << "testing";
  EXPECT_EQ(score_of({signature_of(AuthResult::temperror)}), 0);
  EXPECT_EQ(score_of({signature_of(AuthResult::temperror), signature_of(AuthResult::fail)}), 1.5);
}

// I9
TEST(JudgeDkim, TellsWhatCouldNotBeFoundOutWhereNothingHolds) {
  const auto said = judge(facts_of({signature_of(AuthResult::temperror, "key look-up timed out")}), 0);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].is_unknown);
  EXPECT_EQ(said[0].action, Action::none);
  EXPECT_EQ(said[0].because, "example.org: key look-up timed out");
  EXPECT_TRUE(judge(facts_of({signature_of(AuthResult::temperror), signature_of(AuthResult::pass)}), 0).empty());
}

TEST(JudgeDkim, SaysNothingAtOtherStagesNorWithoutFacts) {
  DkimSettings settings;
  settings.score = 1;
  for (Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers}) {
    const auto said =
        policies::judge(dkim_entry, stage, mail_of("192.0.2.1"), facts_of({signature_of(AuthResult::fail)}), &settings);
    EXPECT_TRUE(said.empty()) << word(stage);
  }
  EXPECT_TRUE(judge(Facts(), 1).empty());
}

TEST(DkimAuthResults, HaveOneMethodForEachSignature) {
  mail::AuthResults results;
  dkim_entry.auth_results(mail_of("192.0.2.1"), Facts(), results);
  EXPECT_TRUE(results.methods.empty());
  dkim_entry.auth_results(mail_of("192.0.2.1"), facts_of({}), results);
  ASSERT_EQ(results.methods.size(), 1u);
  EXPECT_EQ(results.methods[0].method, "dkim");
  EXPECT_EQ(results.methods[0].result, "none");

  results.methods.clear();
  DkimFacts::Signature good = signature_of(AuthResult::pass);
  good.identity = "@example.org";
  good.selector = "s1";
  good.algorithm = "rsa-sha256";
  good.b = "abcdefgh";
  good.key_bits = 2048;
  good.testing = true;
  dkim_entry.auth_results(mail_of("192.0.2.1"), facts_of({good, signature_of(AuthResult::fail)}), results);
  ASSERT_EQ(results.methods.size(), 2u);
  EXPECT_EQ(results.methods[0].result, "pass");
  EXPECT_EQ(results.methods[0].comment, "2048-bit key, testing");
  EXPECT_EQ(results.methods[0].value("header", "d"), "example.org");
  EXPECT_EQ(results.methods[0].value("header", "i"), "@example.org");
  EXPECT_EQ(results.methods[0].value("header", "s"), "s1");
  EXPECT_EQ(results.methods[0].value("header", "a"), "rsa-sha256");
  EXPECT_EQ(results.methods[0].value("header", "b"), "abcdefgh");
  EXPECT_EQ(results.methods[1].result, "fail");
  EXPECT_EQ(results.methods[1].reason, "broken");
  EXPECT_EQ(results.methods[1].value("header", "s"), std::nullopt);
}

Explained explain(const Facts& facts) {
  const DkimSettings settings;
  return dkim_entry.explain(mail_of("192.0.2.1"), facts, &settings);
}

TEST(DkimExplained, SaysWhichSignatureDecidesAndWhatIsWrongWithOthers) {
  DkimFacts::Signature broken = signature_of(AuthResult::fail, "body hash did not verify");
  broken.selector = "s1";
  broken.algorithm = "rsa-sha256";
  broken.canonicalization = "relaxed/simple";
  broken.body_hash = "AAAA";
  const Explained row = explain(facts_of({broken, signature_of(AuthResult::pass)}));
  EXPECT_EQ(row.result, "pass");
  EXPECT_EQ(row.fact, "example.org");
  EXPECT_EQ(row.details, (std::vector<std::string>{"fail example.org: body hash did not verify (selector s1)",
                                                   "rsa-sha256 relaxed/simple", "body as it came hashes to   AAAA",
                                                   "pass example.org"}));
}

TEST(DkimExplained, SaysWhenThereIsNothing) {
  EXPECT_EQ(explain(Facts()).result, "not run");
  EXPECT_EQ(explain(facts_of({})).result, "none");
  EXPECT_EQ(explain(facts_of({})).fact, "the message is not signed");
  DkimFacts unread;
  unread.fields_found = 12;
  Facts facts;
  facts.put(unread);
  EXPECT_EQ(explain(facts).fact, "no signature was looked at");
  unread.signatures.push_back(signature_of(AuthResult::pass));
  facts.put(unread);
  EXPECT_EQ(explain(facts).details.back(), "11 more were not looked at");
}

// D15
TEST(DkimFindings, LeaveOutFailuresOfKeysThatAreTriedOut) {
  DkimFacts::Signature good = signature_of(AuthResult::pass, "", true);
  good.selector = "s1";
  const Findings findings = facts_of({signature_of(AuthResult::fail, "broken", true), good}).tell();
  ASSERT_EQ(findings.words.size(), 1u);
  EXPECT_EQ(findings.words[0].first, "dkim");
  EXPECT_EQ(findings.words[0].second, "pass");
  ASSERT_EQ(findings.identifiers.size(), 1u);
  EXPECT_EQ(findings.identifiers[0].method, AuthIdentifier::Method::dkim);
  EXPECT_EQ(findings.identifiers[0].result, AuthResult::pass);
  EXPECT_EQ(findings.identifiers[0].domain, "example.org");
  EXPECT_EQ(findings.identifiers[0].selector, "s1");
}

TEST(DkimFindings, AreNoneWhereAllThatFailAreTriedOut) {
  const Facts tried = facts_of({signature_of(AuthResult::fail, "broken", true)});
  EXPECT_EQ(tried.tell().words[0].second, "none");
  EXPECT_TRUE(tried.tell().identifiers.empty());
  mail::AuthResults results;
  dkim_entry.auth_results(mail_of("192.0.2.1"), tried, results);
  ASSERT_EQ(results.methods.size(), 1u);
  EXPECT_EQ(results.methods[0].result, "none");
  EXPECT_EQ(results.methods[0].comment, "testing");
  EXPECT_EQ(results.methods[0].reason, "broken");
  const Facts both = facts_of({signature_of(AuthResult::fail, "broken", true), signature_of(AuthResult::permerror)});
  EXPECT_EQ(both.tell().words[0].second, "permerror");
}

}  // namespace
}  // namespace sallyport::policies
