#include "policies/dmarc/tree_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::policies {
namespace {

using testing::ElementsAre;

FoundRecord at(const char* domain, const char* text) { return {domain, *parse_dmarc_record(text)}; }

TEST(TreeWalk, GoesUpLabelByLabelToTheTop) {
  EXPECT_THAT(tree_walk_names("com"), ElementsAre("com"));
  EXPECT_THAT(tree_walk_names("a.mail.example.com"),
              ElementsAre("a.mail.example.com", "mail.example.com", "example.com", "com"));
}

TEST(TreeWalk, ALongNameIsCutToSevenLabelsAfterItself) {
  EXPECT_THAT(tree_walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
                          "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"));
  EXPECT_EQ(tree_walk_names("1.2.3.4.5.6.7.8").size(), 8u);
  EXPECT_EQ(tree_walk_names("1.2.3.4.5.6.7.8")[1], "2.3.4.5.6.7.8");
  EXPECT_EQ(tree_walk_names("1.2.3.4.5.6.7.8.9")[1], "3.4.5.6.7.8.9");
}

TEST(OrganizationalDomain, IsTheShortestNameWithARecord) {
  EXPECT_EQ(organizational_domain("a.mail.example.com", {at("mail.example.com", "v=DMARC1; p=none"),
                                                         at("example.com", "v=DMARC1; p=reject")}),
            "example.com");
  EXPECT_EQ(organizational_domain("a.mail.example.com", {}), "a.mail.example.com");
}

TEST(OrganizationalDomain, BeginsWhereARecordSaysSo) {
  EXPECT_EQ(organizational_domain("a.mail.example.com", {at("mail.example.com", "v=DMARC1; p=none; psd=n"),
                                                         at("example.com", "v=DMARC1; p=reject")}),
            "mail.example.com");
}

TEST(OrganizationalDomain, IsOneLabelBelowAPublicSuffix) {
  EXPECT_EQ(organizational_domain("a.b.example.com", {at("com", "v=DMARC1; p=none; psd=y")}), "example.com");
  EXPECT_EQ(organizational_domain("giant.bank.example", {at("giant.bank.example", "v=DMARC1; p=none"),
                                                         at("bank.example", "v=DMARC1; p=reject; psd=y")}),
            "giant.bank.example");
}

TEST(OrganizationalDomain, OfAPublicSuffixIsItself) {
  EXPECT_EQ(organizational_domain("bank", {at("bank", "v=DMARC1; p=reject; psd=y")}), "bank");
}

}  // namespace
}  // namespace sallyport::policies
