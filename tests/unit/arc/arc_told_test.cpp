// What ARC makes of its facts: the verdict, the field for servers behind us, the explanation, and what it tells those
// who do not know its facts.
#include <gtest/gtest.h>

#include "policies/arc/arc.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

ArcFacts passed() {
  ArcFacts found;
  found.result = AuthResult::pass;
  found.oldest_pass = 2;
  found.sets = {
      {1, "a.example", "s", "a.example", AuthResult::none, AuthResult::pass, {}, {}, {}, "mx.a.example; dmarc=pass"},
      {2, "b.example", "s", "b.example", AuthResult::pass, AuthResult::fail, {}, {}, {}, "mx.b.example; dmarc=fail"}};
  return found;
}

ArcFacts failed() {
  ArcFacts found;
  found.result = AuthResult::fail;
  found.reason = "an ARC set is not whole";
  return found;
}

Facts facts_of(ArcFacts found) {
  Facts facts;
  facts.put(std::move(found));
  return facts;
}

TEST(JudgeArc, CountsABrokenChainOnlyWhereToldTo) {
  ArcSettings settings;
  const auto judged = [&settings](Stage stage, const Facts& facts) {
    return judge(arc_entry, stage, mail_of("192.0.2.1"), facts, &settings);
  };
  EXPECT_TRUE(judged(Stage::message, facts_of(failed())).empty());
  settings.score = 1;
  const auto said = judged(Stage::message, facts_of(failed()));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].score, 1);
  EXPECT_EQ(said[0].because, "the chain is broken: an ARC set is not whole");
  EXPECT_TRUE(judged(Stage::message, facts_of(passed())).empty());
  EXPECT_TRUE(judged(Stage::headers, facts_of(failed())).empty());
  EXPECT_TRUE(judged(Stage::message, Facts()).empty());
}

mail::AuthResults results_of(const Facts& facts) {
  mail::AuthResults results;
  arc_entry.auth_results(mail_of("192.0.2.1"), facts, results);
  return results;
}

TEST(ArcAuthResults, SayHowFarTheChainHolds) {
  EXPECT_TRUE(results_of(Facts()).methods.empty());
  const auto none = results_of(facts_of({}));
  ASSERT_EQ(none.methods.size(), 1u);
  EXPECT_EQ(none.methods[0].method, "arc");
  EXPECT_EQ(none.methods[0].result, "none");
  EXPECT_TRUE(none.methods[0].properties.empty());

  const auto good = results_of(facts_of(passed()));
  ASSERT_EQ(good.methods.size(), 1u);
  EXPECT_EQ(good.methods[0].result, "pass");
  EXPECT_EQ(good.methods[0].comment, "i=2");
  EXPECT_EQ(good.methods[0].value("smtp", "remote-ip"), "192.0.2.1");
  EXPECT_EQ(good.methods[0].value("header", "oldest-pass"), "2");

  const auto bad = results_of(facts_of(failed()));
  ASSERT_EQ(bad.methods.size(), 1u);
  EXPECT_EQ(bad.methods[0].result, "fail");
  EXPECT_EQ(bad.methods[0].reason, "an ARC set is not whole");
  EXPECT_EQ(bad.methods[0].value("header", "oldest-pass"), std::nullopt);
}

TEST(ArcExplained, SaysWhoseWordIsTaken) {
  const ArcSettings settings;
  const auto explained = [&settings](const Facts& facts) {
    return arc_entry.explain(mail_of("192.0.2.1"), facts, &settings);
  };
  EXPECT_EQ(explained(Facts()).result, "not run");
  EXPECT_EQ(explained(facts_of({})).fact, "no chain");
  EXPECT_EQ(explained(facts_of(failed())).fact, "an ARC set is not whole");
  ArcFacts trusted = passed();
  trusted.trusted = {1};
  const Explained row = explained(facts_of(trusted));
  EXPECT_EQ(row.result, "pass");
  EXPECT_EQ(row.fact, "2 sets, the last by b.example; trusted: a.example saw dmarc=pass");
  EXPECT_EQ(row.details, (std::vector<std::string>{"i=1 cv=none a.example: mx.a.example; dmarc=pass",
                                                   "i=2 cv=pass b.example: mx.b.example; dmarc=fail"}));
}

TEST(ArcFindings, NameATrustedSealerOfAChainThatHolds) {
  const auto sealers = [](const ArcFacts& found) { return facts_of(found).tell().identifiers; };
  ArcFacts found = passed();
  EXPECT_TRUE(sealers(found).empty());
  found.trusted = {1};
  found.sets[0].dmarc_passes = {"author.example"};
  ASSERT_EQ(sealers(found).size(), 1u);
  EXPECT_EQ(sealers(found)[0].about, "author.example");
  EXPECT_EQ(sealers(found)[0].method, AuthIdentifier::Method::arc);
  EXPECT_EQ(sealers(found)[0].result, AuthResult::pass);
  EXPECT_EQ(sealers(found)[0].domain, "a.example");
  EXPECT_EQ(sealers(found)[0].instance, 1u);
  found.trusted = {2, 1};
  found.sets[1].dkim_passes = {"d.example"};
  found.sets[1].spf_passes = {"s.example"};
  ASSERT_EQ(sealers(found).size(), 3u) << "the newest first";
  EXPECT_EQ(sealers(found)[0].method, AuthIdentifier::Method::arc_dkim);
  EXPECT_EQ(sealers(found)[0].domain, "b.example");
  EXPECT_EQ(sealers(found)[0].about, "d.example");
  EXPECT_EQ(sealers(found)[1].method, AuthIdentifier::Method::arc_spf);
  EXPECT_EQ(sealers(found)[1].about, "s.example");
  EXPECT_EQ(sealers(found)[2].instance, 1u);
  found.trusted = {7};
  EXPECT_TRUE(sealers(found).empty()) << "a record of a mail that has no such set";
  found.result = AuthResult::fail;
  EXPECT_TRUE(sealers(found).empty());
  EXPECT_EQ(facts_of(found).tell().words.at(0), (std::pair<std::string_view, std::string>("arc", "fail")));
}

}  // namespace
}  // namespace sallyport::policies
