#include "policies/dmarc/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/dmarc/tree_walk.h"
#include "tests/unit/dmarc/world.h"

namespace sallyport::policies {
namespace {

using testing::ElementsAre;

class DmarcEvaluation : public testing::Test, protected DmarcWorld {
 protected:
  support::DnsZone& zone() { return resolver.zone(); }
  std::vector<std::string> asked() const {
    std::vector<std::string> names;
    for (const dns::Question& question : resolver.asked()) names.push_back(question.name);
    return names;
  }
};

TEST_F(DmarcEvaluation, TheAuthorsOwnDomainIsAlignedAndNothingElseIsAsked) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  const DmarcFacts facts = evaluate("example.com", {dkim("example.com")});
  EXPECT_EQ(facts.result, AuthResult::pass);
  EXPECT_TRUE(facts.dkim_aligned);
  EXPECT_FALSE(facts.spf_aligned);
  EXPECT_EQ(facts.aligned_domain, "example.com");
  EXPECT_EQ(facts.policy_domain, "example.com");
  EXPECT_EQ(facts.record, "v=DMARC1; p=reject");
  EXPECT_EQ(facts.published, DmarcTag::p);
  EXPECT_EQ(facts.policy, DmarcDisposition::reject);
  EXPECT_THAT(asked(), ElementsAre("_dmarc.example.com"));
  EXPECT_EQ(facts.evidence.size(), 1u);
}

TEST_F(DmarcEvaluation, NoRecordIsNoDmarc) {
  const DmarcFacts facts = evaluate("mail.example.com", {spf("example.com")});
  EXPECT_EQ(facts.result, AuthResult::none);
  EXPECT_EQ(facts.effective, DmarcDisposition::none);
  EXPECT_THAT(asked(), ElementsAre("_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com"));
}

TEST_F(DmarcEvaluation, ARelatedDomainIsAlignedByItsOrganization) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("news.example.com", {dkim("mail.example.com")}).result, AuthResult::pass);
  EXPECT_EQ(evaluate("news.example.com", {spf("example.com")}).result, AuthResult::pass);
  EXPECT_EQ(evaluate("example.com", {spf("a.b.example.com")}).result, AuthResult::pass);
}

TEST_F(DmarcEvaluation, StrictMeansTheDomainItself) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject; adkim=s");
  EXPECT_EQ(evaluate("example.com", {dkim("mail.example.com")}).result, AuthResult::fail);
  EXPECT_EQ(evaluate("example.com", {spf("mail.example.com")}).result, AuthResult::pass);
  EXPECT_EQ(evaluate("example.com", {dkim("example.com")}).result, AuthResult::pass);
}

TEST_F(DmarcEvaluation, AnotherOrganizationIsNotAskedFor) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  const DmarcFacts facts = evaluate("example.com", {dkim("attacker.example"), spf("notexample.com")});
  EXPECT_EQ(facts.result, AuthResult::fail);
  EXPECT_EQ(facts.effective, DmarcDisposition::reject);
  EXPECT_THAT(asked(), ElementsAre("_dmarc.example.com", "_dmarc.com"));
}

TEST_F(DmarcEvaluation, WhatDidNotPassIsNoIdentifier) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(
      evaluate("example.com", {dkim("example.com", AuthResult::fail), spf("example.com", AuthResult::softfail)}).result,
      AuthResult::fail);
}

TEST_F(DmarcEvaluation, ADomainsPartOfItsOwnIsAnotherOrganization) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject; psd=n");
  zone().txt("_dmarc.students.example.com", "v=DMARC1; p=none; psd=n");
  EXPECT_EQ(evaluate("example.com", {dkim("students.example.com")}).result, AuthResult::fail);
  EXPECT_EQ(evaluate("students.example.com", {dkim("example.com")}).result, AuthResult::fail);
}

TEST_F(DmarcEvaluation, NeighboursUnderAPublicSuffixAreStrangers) {
  zone().txt("_dmarc.bank.example", "v=DMARC1; p=reject; psd=y");
  zone().txt("_dmarc.giant.bank.example", "v=DMARC1; p=quarantine");
  const DmarcFacts facts =
      evaluate("giant.bank.example", {dkim("mail.mega.bank.example"), spf("mail.giant.bank.example")});
  EXPECT_EQ(facts.result, AuthResult::pass);
  EXPECT_EQ(facts.organizational_domain, "giant.bank.example");
  EXPECT_TRUE(facts.spf_aligned);
  EXPECT_FALSE(facts.dkim_aligned);
}

// D21: also where it does not say that it is one.
TEST_F(DmarcEvaluation, APublicSuffixIsTheOrganizationOfNoNameBelowIt) {
  zone().txt("_dmarc.co.uk", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("town.co.uk", {dkim("co.uk")}).result, AuthResult::fail);
  EXPECT_EQ(evaluate("town.co.uk", {spf("city.co.uk")}).result, AuthResult::fail);
  EXPECT_EQ(evaluate("town.co.uk", {spf("mail.town.co.uk")}).result, AuthResult::pass);
  EXPECT_EQ(evaluate("town.co.uk").policy_domain, "co.uk") << "its record holds for them all the same";
  EXPECT_EQ(evaluate("co.uk", {dkim("co.uk")}).result, AuthResult::pass);
  EXPECT_EQ(evaluate("co.uk", {dkim("town.co.uk")}).result, AuthResult::fail);
}

// The vectors of RFC 9989's rules: what applies to an author domain, from the records there are.
struct Vector {
  std::vector<std::pair<const char*, const char*>> records;  // domain, tags after the version
  const char* author;
  bool exists;
  const char* policy_domain;
  const char* published;
  DmarcDisposition policy;
};

TEST(DmarcPolicyDiscovery, FollowsTheTree) {
  using enum DmarcDisposition;
  const std::vector<Vector> vectors = {
      {{{"example.com", "p=reject"}}, "a.mail.example.com", true, "example.com", "p", reject},
      {{{"mail.example.com", "p=none"}, {"example.com", "p=reject; sp=quarantine"}},
       "a.mail.example.com",
       true,
       "example.com",
       "sp",
       quarantine},
      {{{"mail.example.com", "p=none"}, {"example.com", "p=reject; sp=quarantine"}},
       "mail.example.com",
       true,
       "mail.example.com",
       "p",
       none},
      {{{"mail.example.com", "p=none; psd=n"}, {"example.com", "p=reject; sp=quarantine"}},
       "a.mail.example.com",
       true,
       "mail.example.com",
       "p",
       none},
      {{{"com", "p=none; psd=y; np=reject"}}, "a.example.com", true, "com", "p", none},
      {{{"com", "p=none; psd=y; np=reject"}}, "a.example.com", false, "com", "np", reject},
      {{{"com", "p=none; psd=y; np=reject"}, {"example.com", "p=quarantine"}},
       "a.example.com",
       false,
       "example.com",
       "p",
       quarantine},
      {{{"bank", "p=reject; psd=y"}}, "bank", true, "bank", "p", reject},
      {{{"example.com", "p=reject; sp=none; np=quarantine"}}, "nx.example.com", false, "example.com", "np", quarantine},
      {{{"example.com", "p=reject; sp=none; np=quarantine"}}, "mail.example.com", true, "example.com", "sp", none},
      {{{"g.h.i.j.mail.example.com", "p=none"}},
       "a.b.c.d.e.f.g.h.i.j.mail.example.com",
       true,
       "g.h.i.j.mail.example.com",
       "p",
       none},
  };
  for (const Vector& vector : vectors) {
    DmarcWorld world;
    for (const auto& [domain, tags] : vector.records)
      world.resolver.zone().txt(std::string("_dmarc.") + domain, std::string("v=DMARC1; ") + tags);
    if (vector.exists) world.resolver.zone().mx(vector.author, 10, "mx.example.net");
    const DmarcFacts facts = world.evaluate(vector.author);
    EXPECT_EQ(facts.result, AuthResult::fail) << vector.author;
    EXPECT_EQ(facts.policy_domain, vector.policy_domain) << vector.author;
    EXPECT_EQ(word(facts.published), vector.published) << vector.author << " at " << vector.policy_domain;
    EXPECT_EQ(facts.policy, vector.policy) << vector.author << " at " << vector.policy_domain;
  }
}

TEST_F(DmarcEvaluation, ARecordBetweenTheCutsOfALongNameIsNotAskedFor) {
  zone().txt("_dmarc.f.g.h.i.j.mail.example.com", "v=DMARC1; p=reject");
  const DmarcFacts facts = evaluate("a.b.c.d.e.f.g.h.i.j.mail.example.com");
  EXPECT_EQ(facts.result, AuthResult::none);
  EXPECT_EQ(resolver.asked().size(), max_tree_walk_names);
}

TEST_F(DmarcEvaluation, TwoRecordsAtANameAreNoneAndTheWalkGoesOn) {
  zone().txt("_dmarc.mail.example.com", "v=DMARC1; p=none");
  zone().txt("_dmarc.mail.example.com", "v=DMARC1; p=none");
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("mail.example.com").policy, DmarcDisposition::reject);
  EXPECT_EQ(evaluate("mail.example.com").policy_domain, "example.com");
}

TEST_F(DmarcEvaluation, OtherTextsAtTheNameAreNoRecords) {
  zone().txt("_dmarc.example.com", "something else");
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("example.com").policy, DmarcDisposition::reject);
}

TEST_F(DmarcEvaluation, ARecordNobodyCanUseIsNoDmarc) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=bogus");
  const DmarcFacts facts = evaluate("example.com");
  EXPECT_EQ(facts.result, AuthResult::none);
  EXPECT_NE(facts.problem, "");
}

TEST_F(DmarcEvaluation, TestModeIsOneLevelMilder) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject; t=y");
  EXPECT_EQ(evaluate("example.com").policy, DmarcDisposition::reject);
  EXPECT_EQ(evaluate("example.com").asked_for, DmarcDisposition::quarantine);
  EXPECT_EQ(evaluate("example.com").effective, DmarcDisposition::quarantine);
  zone().txt("_dmarc.example.net", "v=DMARC1; p=quarantine; t=y");
  EXPECT_EQ(evaluate("example.net").effective, DmarcDisposition::none);
}

TEST_F(DmarcEvaluation, WhatCannotBeAskedForConcludesNothing) {
  zone().set("_dmarc.example.com", dns::Type::TXT, dns::Status::servfail);
  const DmarcFacts at_author = evaluate("example.com", {spf("example.com")});
  EXPECT_EQ(at_author.result, AuthResult::temperror);
  EXPECT_EQ(at_author.effective, DmarcDisposition::none);
  EXPECT_EQ(evaluate("mail.example.com").result, AuthResult::temperror);
}

TEST_F(DmarcEvaluation, WhetherTheAuthorExistsMattersOnlyWhereThePolicyDepends) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject; np=none");
  zone().set("mail.example.com", dns::Type::A, dns::Status::servfail);
  EXPECT_EQ(evaluate("mail.example.com").result, AuthResult::temperror);
  zone().txt("_dmarc.example.net", "v=DMARC1; p=reject");
  zone().set("mail.example.net", dns::Type::A, dns::Status::servfail);
  EXPECT_EQ(evaluate("mail.example.net").result, AuthResult::fail);
}

TEST_F(DmarcEvaluation, ATemporaryFailureOfAnAlignedIdentifierLeavesItOpen) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("example.com", {dkim("example.com", AuthResult::temperror)}).result, AuthResult::temperror);
  EXPECT_EQ(evaluate("example.com", {dkim("example.com", AuthResult::temperror), spf("example.com")}).result,
            AuthResult::pass);
}

TEST_F(DmarcEvaluation, ATemporaryFailureOfAStrangerChangesNothing) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  EXPECT_EQ(evaluate("example.com", {dkim("attacker.example", AuthResult::temperror)}).result, AuthResult::fail);
}

TEST_F(DmarcEvaluation, ByThePublicSuffixListNothingIsWalked) {
  zone().txt("_dmarc.example.co.uk", "v=DMARC1; p=reject");
  const DmarcFacts facts = evaluate("a.b.example.co.uk", {dkim("c.example.co.uk")}, OrganizationalDomainBy::psl);
  EXPECT_EQ(facts.result, AuthResult::pass);
  EXPECT_EQ(facts.organizational_domain, "example.co.uk");
  EXPECT_THAT(asked(), ElementsAre("_dmarc.a.b.example.co.uk", "_dmarc.example.co.uk"));
  EXPECT_EQ(evaluate("one.co.uk", {dkim("two.co.uk")}, OrganizationalDomainBy::psl).result, AuthResult::none);
}

TEST_F(DmarcEvaluation, ANameTooLongToAskForHasNoRecord) {
  std::string name = "a.example";
  while (name.size() < 249) name = "abc." + name;
  EXPECT_EQ(evaluate(name).result, AuthResult::none);
  for (const std::string& asked_name : asked()) EXPECT_LE(asked_name.size(), 253u);
}

TEST_F(DmarcEvaluation, OnlyTheSenderAndSignaturesAreIdentifiers) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject");
  using Method = AuthIdentifier::Method;
  const AuthIdentifier greeting{Method::spf_helo, AuthResult::pass, "example.com", {}, 0};
  const AuthIdentifier sealer{Method::arc, AuthResult::pass, "example.com", {}, 1};
  EXPECT_EQ(evaluate("example.com", {greeting, sealer}).result, AuthResult::fail);
}

TEST_F(DmarcEvaluation, TheRecordIsKeptAsPublished) {
  zone().txt("_dmarc.example.com", "v=DMARC1; p=reject; x=\xff\r\n");
  EXPECT_EQ(evaluate("example.com").record, "v=DMARC1; p=reject; x=\xff\r\n");
}

}  // namespace
}  // namespace sallyport::policies
