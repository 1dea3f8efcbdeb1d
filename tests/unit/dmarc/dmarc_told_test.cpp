// What DMARC tells of its facts: the field for servers behind us, the explanation, and those who do not know its facts.
#include <gtest/gtest.h>

#include "policies/dmarc/dmarc.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

DmarcFacts failed() {
  DmarcFacts found;
  found.result = AuthResult::fail;
  found.from_domain = "mail.example.org";
  found.policy_domain = "example.org";
  found.record = "v=DMARC1; sp=quarantine";
  found.published = DmarcTag::sp;
  found.policy = found.asked_for = found.effective = DmarcDisposition::quarantine;
  found.strict_dkim = true;
  return found;
}

Facts facts_of(DmarcFacts found) {
  Facts facts;
  facts.put(std::move(found));
  return facts;
}

mail::AuthResults results_of(const Facts& facts) {
  mail::AuthResults results;
  dmarc_entry.auth_results(mail_of("192.0.2.1"), facts, results);
  return results;
}

TEST(DmarcAuthResults, SayWhatThePublisherAsksFor) {
  EXPECT_TRUE(results_of(Facts()).methods.empty());
  DmarcFacts found = failed();
  auto results = results_of(facts_of(found));
  ASSERT_EQ(results.methods.size(), 1u);
  EXPECT_EQ(results.methods[0].method, "dmarc");
  EXPECT_EQ(results.methods[0].result, "fail");
  EXPECT_EQ(results.methods[0].comment, "sp=quarantine");
  EXPECT_EQ(results.methods[0].value("header", "from"), "mail.example.org");
  EXPECT_EQ(results.methods[0].value("policy", "dmarc"), "quarantine");
  found.override_reason = DmarcOverride::local_policy;
  EXPECT_EQ(results_of(facts_of(found)).methods[0].comment, "sp=quarantine, local_policy");
}

// RFC 9989, 9.1
TEST(DmarcAuthResults, SayThePolicyAsItIsWhileItIsTried) {
  DmarcFacts found = failed();
  found.testing = true;
  found.asked_for = found.effective = DmarcDisposition::none;
  const auto method = results_of(facts_of(found)).methods.at(0);
  EXPECT_EQ(method.value("policy", "dmarc"), "none");
  EXPECT_EQ(method.comment, "sp=quarantine") << "as published";
}

TEST(DmarcAuthResults, SayWhyThereIsNoPolicy) {
  DmarcFacts found;
  found.result = AuthResult::permerror;
  found.problem = "no From field";
  const auto results = results_of(facts_of(found));
  ASSERT_EQ(results.methods.size(), 1u);
  EXPECT_EQ(results.methods[0].reason, "no From field");
  EXPECT_EQ(results.methods[0].comment, "");
  EXPECT_TRUE(results.methods[0].properties.empty());
}

Explained explain(const Facts& facts) {
  const DmarcSettings settings;
  return dmarc_entry.explain(mail_of("192.0.2.1"), facts, &settings);
}

TEST(DmarcExplained, SaysWhoStandsBehindTheMail) {
  EXPECT_EQ(explain(Facts()).result, "not run");
  DmarcFacts found = failed();
  found.result = AuthResult::pass;
  found.dkim_aligned = true;
  found.aligned_domain = "example.org";
  Explained row = explain(facts_of(found));
  EXPECT_EQ(row.result, "pass");
  EXPECT_EQ(row.fact, "mail.example.org (sp=quarantine): DKIM in line with it by example.org");
  EXPECT_TRUE(row.details.empty());
  found.spf_aligned = true;
  EXPECT_EQ(explain(facts_of(found)).fact,
            "mail.example.org (sp=quarantine): SPF and DKIM in line with it by example.org");
}

TEST(DmarcExplained, SaysWhatIsDoneInstead) {
  DmarcFacts found = failed();
  found.override_reason = DmarcOverride::local_policy;
  found.override_comment = "arc=pass as[1].d=lists.example";
  const Explained row = explain(facts_of(found));
  EXPECT_EQ(row.fact, "mail.example.org (sp=quarantine): neither SPF nor DKIM passes in line with it");
  EXPECT_EQ(row.details, (std::vector<std::string>{
                             "policy of example.org: v=DMARC1; sp=quarantine", "alignment: SPF relaxed, DKIM strict",
                             "done instead because of local_policy: arc=pass as[1].d=lists.example"}));
}

TEST(DmarcExplained, SaysWhatIsWrong) {
  DmarcFacts found;
  found.result = AuthResult::permerror;
  found.problem = "several From fields";
  EXPECT_EQ(explain(facts_of(found)).fact, "several From fields");
  found.from_domain = "example.org";
  EXPECT_EQ(explain(facts_of(found)).fact, "example.org: several From fields");
  found.problem.clear();
  found.result = AuthResult::none;
  EXPECT_EQ(explain(facts_of(found)).fact, "example.org publishes no policy");
}

TEST(DmarcFindings, AreItsWordAndItsQuestions) {
  DmarcFacts found = failed();
  found.evidence.push_back({{"_dmarc.example.org", dns::Type::TXT}, {}});
  const Findings findings = facts_of(found).tell();
  EXPECT_EQ(findings.words.at(0), (std::pair<std::string_view, std::string>("dmarc", "fail")));
  EXPECT_TRUE(findings.identifiers.empty());
  EXPECT_EQ(findings.evidence.size(), 1u);
}

}  // namespace
}  // namespace sallyport::policies
