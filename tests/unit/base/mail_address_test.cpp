#include "gateway/base/mail_address.h"

#include <gtest/gtest.h>

#include "gateway/base/field_json.h"

namespace sallyport {
namespace {

TEST(MailAddress, IsWrittenWithQuotesOnlyWhereItMustBe) {
  EXPECT_EQ((MailAddress{"ann", "example.org"}.to_string()), "ann@example.org");
  EXPECT_EQ((MailAddress{"ann.b+c", "example.org"}.to_string()), "ann.b+c@example.org");
  EXPECT_EQ((MailAddress{"a b", "example.org"}.to_string()), "\"a b\"@example.org");
  EXPECT_EQ((MailAddress{"a\"\\b", "example.org"}.to_string()), "\"a\\\"\\\\b\"@example.org");
  EXPECT_EQ((MailAddress{".a", "example.org"}.to_string()), ".a@example.org");
  EXPECT_EQ((MailAddress{"", "example.org"}.to_string()), "\"\"@example.org");
  EXPECT_EQ((MailAddress{"Postmaster", ""}.to_string()), "Postmaster");
  EXPECT_EQ(MailAddress().to_string(), "");
}

TEST(MailAddress, KnowsWhatItIs) {
  EXPECT_TRUE(MailAddress().is_null());
  EXPECT_FALSE((MailAddress{"", "example.org"}.is_null()));
  EXPECT_TRUE((MailAddress{"POSTmaster", ""}.is_postmaster()));
  EXPECT_TRUE((MailAddress{"postmaster", "example.org"}.is_postmaster()));
  EXPECT_TRUE((MailAddress{"ann", "[192.0.2.1]"}.is_literal()));
  EXPECT_FALSE((MailAddress{"ann", ""}.is_literal()));
  for (const char* local : {"a@b", "a%b", "a!b"}) EXPECT_TRUE((MailAddress{local, "example.org"}.has_routing_local()));
  EXPECT_FALSE((MailAddress{"a.b", "example.org"}.has_routing_local()));
  EXPECT_TRUE((MailAddress{"\xc3\xbc", "example.org"}.needs_utf8()));
  EXPECT_TRUE((MailAddress{"a", "\xc3\xbc.example"}.needs_utf8()));
  EXPECT_FALSE((MailAddress{"a", "example.org"}.needs_utf8()));
}

TEST(MailAddress, SurvivesJson) {
  const MailAddress address{"a \"b", "example.org"};
  const auto json = JsonValue::parse(FieldWriter::json(address));
  ASSERT_TRUE(json);
  MailAddress back;
  ASSERT_TRUE(FieldReader::read_json(*json, back));
  EXPECT_EQ(back, address);
}

}  // namespace
}  // namespace sallyport
