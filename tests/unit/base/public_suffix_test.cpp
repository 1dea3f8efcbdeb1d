#include "gateway/base/public_suffix.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/corpora.h"

namespace sallyport {
namespace {

using Section = PublicSuffixList::Section;

// A list of our own, so that nothing here changes with the world's.
class OwnList : public testing::Test {
 protected:
  static PublicSuffixList make() {
    const std::string path = testing::TempDir() + "public_suffix_test.dat";
    std::ofstream(path) << "// ===BEGIN ICANN DOMAINS===\n"
                           "example\n"
                           "co.example\n"
                           "*.wild.example\n"
                           "!city.wild.example\n"
                           "公司.example\n"
                           "// ===END ICANN DOMAINS===\n"
                           "// ===BEGIN PRIVATE DOMAINS===\n"
                           "pages.example\n"
                           "// ===END PRIVATE DOMAINS===\n";
    auto list = PublicSuffixList::from_file(path);
    std::remove(path.c_str());
    return std::move(list).value();
  }
  const PublicSuffixList list = make();
};

TEST_F(OwnList, TellsRegistriesFromWhatIsRegistered) {
  EXPECT_TRUE(list.is_public_suffix("example", Section::icann));
  EXPECT_TRUE(list.is_public_suffix("CO.Example", Section::icann));
  EXPECT_TRUE(list.is_public_suffix("any.wild.example", Section::icann));
  EXPECT_FALSE(list.is_public_suffix("city.wild.example", Section::icann));
  EXPECT_FALSE(list.is_public_suffix("shop.co.example", Section::icann));
}

TEST_F(OwnList, ACompanysRegistryCountsOnlyWhereItIsAskedFor) {
  EXPECT_FALSE(list.is_public_suffix("pages.example", Section::icann));
  EXPECT_TRUE(list.is_public_suffix("pages.example", Section::any));
}

TEST_F(OwnList, ATopLevelDomainItDoesNotHaveIsAPublicSuffix) {
  EXPECT_TRUE(list.is_public_suffix("unlisted", Section::icann));
  EXPECT_EQ(list.registrable_domain("mail.shop.unlisted"), "shop.unlisted");
}

TEST_F(OwnList, RegistrableDomainIsOneLabelMoreThanTheSuffix) {
  EXPECT_EQ(list.registrable_domain("a.b.shop.co.example"), "shop.co.example");
  EXPECT_EQ(list.registrable_domain("A.SHOP.example"), "shop.example");
  EXPECT_EQ(list.registrable_domain("a.b.any.wild.example"), "b.any.wild.example");
  EXPECT_EQ(list.registrable_domain("a.city.wild.example"), "city.wild.example");
  EXPECT_EQ(list.registrable_domain("user.pages.example"), "user.pages.example");
}

TEST_F(OwnList, ASuffixHasNoRegistrableDomain) {
  EXPECT_EQ(list.registrable_domain("co.example"), "");
  EXPECT_EQ(list.registrable_domain("any.wild.example"), "");
  EXPECT_EQ(list.registrable_domain("unlisted"), "");
}

TEST_F(OwnList, TakesULabelsAndALabels) {
  EXPECT_EQ(list.registrable_domain("shop.公司.example"), "shop.公司.example");
  EXPECT_EQ(list.registrable_domain("shop.xn--55qx5d.example"), "shop.xn--55qx5d.example");
  EXPECT_TRUE(list.is_public_suffix("xn--55qx5d.example", Section::icann));
}

TEST_F(OwnList, WhatIsNoNameHasNone) {
  for (const char* name : {"", ".", ".example", ".shop.example", "\xff\xfe"}) {
    EXPECT_EQ(list.registrable_domain(name), "") << name;
    EXPECT_FALSE(list.is_public_suffix(name, Section::any)) << name;
  }
}

TEST(PublicSuffixList, TheMachinesOwnListKnowsTheOldRegistries) {
  const PublicSuffixList list;
  EXPECT_TRUE(list.is_public_suffix("com", Section::icann));
  EXPECT_TRUE(list.is_public_suffix("co.uk", Section::icann));
  EXPECT_EQ(list.registrable_domain("www.example.co.uk"), "example.co.uk");
}

// The list's own test vectors, with the list they were written for: none is contested.
TEST(PublicSuffixList, AgreesWithTheListsOwnTests) {
  const auto cases = support::load_corpus("psl/test_psl.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  const auto list = PublicSuffixList::from_file(support::corpus_path("psl/public_suffix_list.dat").string());
  ASSERT_TRUE(list);
  support::CorpusScore score("psl");
  // A null is no name, and no answer.
  const auto name = [](const nlohmann::json& of) { return of.is_null() ? std::string() : of.get<std::string>(); };
  for (const nlohmann::json& one : *cases) {
    EXPECT_EQ(list->registrable_domain(name(one.at("input"))), name(one.at("registrable"))) << one.dump();
    score.count_case();
  }
}

// A reload may put another list where the last one stood.
TEST(PublicSuffixList, AnswersByItsOwnRulesWhateverAnotherSaidBefore) {
  const std::string path = testing::TempDir() + "public_suffix_of_two_lists.dat";
  const auto list_with = [&path](std::string_view rule) {
    std::ofstream(path) << "// ===BEGIN ICANN DOMAINS===\n" << rule << "\n// ===END ICANN DOMAINS===\n";
    return PublicSuffixList::from_file(path);
  };
  for (int i = 0; i < 20; ++i) {
    const auto shorter = list_with("example");
    ASSERT_TRUE(shorter);
    EXPECT_EQ(shorter->registrable_domain("www.shop.example"), "shop.example");
    {
      const auto longer = list_with("shop.example");
      ASSERT_TRUE(longer);
      EXPECT_EQ(longer->registrable_domain("www.shop.example"), "www.shop.example");
      EXPECT_EQ(longer->registrable_domain("shop.example"), "");
    }
    EXPECT_EQ(shorter->registrable_domain("www.shop.example"), "shop.example");
    EXPECT_EQ(shorter->registrable_domain("shop.example"), "shop.example");
  }
  std::remove(path.c_str());
}

TEST(PublicSuffixList, SaysWhichFileItCouldNotRead) {
  const auto list = PublicSuffixList::from_file("/nonexistent/list.dat");
  ASSERT_FALSE(list);
  EXPECT_NE(list.error().message.find("/nonexistent/list.dat"), std::string::npos);
}

}  // namespace
}  // namespace sallyport
