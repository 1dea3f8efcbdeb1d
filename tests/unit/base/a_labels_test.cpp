#include "gateway/base/a_labels.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(ALabels, AsciiIsOnlyLowered) {
  EXPECT_EQ(to_a_labels("Mail.Example"), "mail.example");
  EXPECT_EQ(to_a_labels("example.org."), "example.org");
  EXPECT_EQ(to_a_labels("xn--strae-oqa.Example"), "xn--strae-oqa.example");
  EXPECT_EQ(to_a_labels("_spf.example"), "_spf.example");
}

TEST(ALabels, ULabelsAreConverted) {
  EXPECT_EQ(to_a_labels("straße.example"), "xn--strae-oqa.example");
  EXPECT_EQ(to_a_labels("Пример.Рф"), "xn--e1afmkfd.xn--p1ai");
}

TEST(ULabels, ALabelsAreRead) {
  EXPECT_EQ(to_u_labels("xn--strae-oqa.example"), "straße.example");
  EXPECT_EQ(to_u_labels("mail.XN--E1AFMKFD.xn--p1ai"), "mail.пример.рф");
}

TEST(ULabels, OthersStayAsTheyAre) {
  for (const char* name : {"", ".", "Mail.Example.", "straße.example", "xn--.example", "xn--\xff.example",
                           "xn--zzzzzz99999.a", "192.0.2.1", "a..b"}) {
    EXPECT_EQ(to_u_labels(name), name);
  }
  const std::string long_label = "xn--" + std::string(300, 'a') + ".example";
  EXPECT_EQ(to_u_labels(long_label), long_label);
}

TEST(ALabels, OtherDotsSeparateLabels) { EXPECT_EQ(to_a_labels("例え。example"), "xn--r8jz45g.example"); }

TEST(ALabels, WhatIsNoNameHasNoForm) {
  for (const char* name : {"", ".", "a..b", "a b.example", "\xff.example", "exam\nple", "-.example"}) {
    EXPECT_EQ(to_a_labels(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace sallyport
