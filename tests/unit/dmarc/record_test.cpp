#include "policies/dmarc/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::policies {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DmarcRecord, BeginsWithItsVersion) {
  for (const char* text : {"v=DMARC1", "v=DMARC1;", "V=DMARC1; p=none", "v = DMARC1 ; p=none", "v=DMARC1;p=none"}) {
    EXPECT_TRUE(parse_dmarc_record(text)) << text;
  }
  for (const char* text : {"", "v=dmarc1; p=none", "v=DMARC1x; p=none", "v=DMARC10", "p=none; v=DMARC1",
                           " v=DMARC1; p=none", "v=DMARC1 p=none", "v=spf1 -all", ";v=DMARC1"}) {
    EXPECT_FALSE(parse_dmarc_record(text)) << text;
  }
}

TEST(DmarcRecord, PoliciesInAnyCaseAndPlace) {
  const auto record = parse_dmarc_record("v=DMARC1; rua=mailto:a@b.example; SP=Quarantine; p = REJECT ;np=none;");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->own_policy(), DmarcDisposition::reject);
  EXPECT_EQ(record->policy_below(), DmarcDisposition::quarantine);
  EXPECT_EQ(record->policy_of_nonexistent(), DmarcDisposition::none);
  EXPECT_TRUE(record->is_usable());
}

TEST(DmarcRecord, WhatIsNotSaidFollowsFromTheNextWider) {
  const auto only_p = parse_dmarc_record("v=DMARC1; p=quarantine");
  EXPECT_EQ(only_p->policy_below(), DmarcDisposition::quarantine);
  EXPECT_EQ(only_p->policy_of_nonexistent(), DmarcDisposition::quarantine);
  const auto with_sp = parse_dmarc_record("v=DMARC1; p=none; sp=reject");
  EXPECT_EQ(with_sp->policy_of_nonexistent(), DmarcDisposition::reject);
}

TEST(DmarcRecord, ABadPolicyCountsAsNoneWhereSomebodyGetsReports) {
  for (const char* text :
       {"v=DMARC1; p=bogus; rua=mailto:a@b.example", "v=DMARC1; p=reject; sp=bogus; rua=mailto:a@b.example",
        "v=DMARC1; rua=mailto:a@b.example"}) {
    const auto record = parse_dmarc_record(text);
    ASSERT_TRUE(record) << text;
    EXPECT_TRUE(record->is_usable()) << text;
    EXPECT_EQ(record->own_policy(), DmarcDisposition::none) << text;
    EXPECT_EQ(record->policy_below(), DmarcDisposition::none) << text;
    EXPECT_EQ(record->policy_of_nonexistent(), DmarcDisposition::none) << text;
  }
  for (const char* text : {"v=DMARC1", "v=DMARC1; p=bogus", "v=DMARC1; p=none; np=bogus", "v=DMARC1; p=; rua=x",
                           "v=DMARC1; rua=https://b.example/"}) {
    EXPECT_FALSE(parse_dmarc_record(text)->is_usable()) << text;
  }
}

TEST(DmarcRecord, ModesAndFlags) {
  const auto plain = parse_dmarc_record("v=DMARC1; p=none");
  EXPECT_FALSE(plain->strict_dkim || plain->strict_spf || plain->testing);
  EXPECT_EQ(plain->public_suffix, DmarcRecord::PublicSuffix::unknown);
  const auto strict = parse_dmarc_record("v=DMARC1; p=none; adkim=S; aspf=s; t=Y; psd=N; fo=1:d");
  EXPECT_TRUE(strict->strict_dkim && strict->strict_spf && strict->testing);
  EXPECT_EQ(strict->public_suffix, DmarcRecord::PublicSuffix::no);
  EXPECT_EQ(strict->failure_options, "1:d");
  const auto wrong = parse_dmarc_record("v=DMARC1; p=none; adkim=x; aspf=; t=1; psd=maybe");
  EXPECT_FALSE(wrong->strict_dkim || wrong->strict_spf || wrong->testing);
  EXPECT_EQ(wrong->public_suffix, DmarcRecord::PublicSuffix::unknown);
}

TEST(DmarcRecord, ReportAddressesWithoutTheOldSize) {
  const auto record = parse_dmarc_record(
      "v=DMARC1; p=none; rua=mailto:a@b.example!10m , https://b.example/x, MAILTO:c%21d@e.example,mailto:,mailto:x; "
      "ruf=mailto:f@g.example");
  EXPECT_THAT(record->report_to, ElementsAre("mailto:a@b.example", "MAILTO:c%21d@e.example"));
  EXPECT_THAT(record->failure_report_to, ElementsAre("mailto:f@g.example"));
  EXPECT_THAT(parse_dmarc_record("v=DMARC1; p=none; rua=mailto:a@b\"x.example")->report_to, IsEmpty());
}

TEST(DmarcRecord, TheFirstTagOfANameCounts) {
  EXPECT_EQ(parse_dmarc_record("v=DMARC1; p=reject; p=none")->own_policy(), DmarcDisposition::reject);
}

TEST(DmarcRecord, UnknownAndEmptyTagsArePassedOver) {
  const auto record = parse_dmarc_record("v=DMARC1;; pct=0; rf=afrf; ri=86400; nonsense; =x; p=reject;;");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->own_policy(), DmarcDisposition::reject);
  EXPECT_TRUE(record->is_usable());
}

TEST(DmarcRecord, IsBounded) {
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1; p=none;" + std::string(max_dmarc_record_octets, ' ')));
  std::string many = "v=DMARC1; p=none; rua=";
  for (int i = 0; i < 100; ++i) many += "mailto:a@b.example,";
  EXPECT_EQ(parse_dmarc_record(many)->report_to.size(), 100u) << "no address is left out";
}

}  // namespace
}  // namespace sallyport::policies
