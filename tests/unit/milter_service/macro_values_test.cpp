#include "gateway/milter_service/macro_values.h"

#include <gtest/gtest.h>

namespace sallyport::milter_service {
namespace {

using milter::Verb;

TEST(MacroValues, AreTakenWithAndWithoutBraces) {
  MacroValues values;
  values.take(
      {Verb::connect, {{"j", "mx"}, {"{client_addr}", "192.0.2.1"}, {"{unknown}", "x"}, {"{}", "y"}, {"_", "z"}}});
  EXPECT_EQ(values[Macro::mta], "mx");
  EXPECT_EQ(values[Macro::client_addr], "192.0.2.1");
  values.take({Verb::mail, {{"{i}", "Q1"}}});
  EXPECT_EQ(values[Macro::queue_id], "Q1");
}

TEST(MacroValues, OfAMailEndWithIt) {
  MacroValues values;
  values.take({Verb::mail, {{"i", "Q1"}, {"{auth_authen}", "ann"}}});
  values.begin_mail();
  EXPECT_EQ(values[Macro::auth_authen], "ann");
  values.begin_mail();  // a MAIL without macros of its own
  EXPECT_EQ(values[Macro::auth_authen], "");
  values.take({Verb::end_of_message, {{"i", "Q2"}}});
  values.end_mail();
  EXPECT_EQ(values[Macro::queue_id], "");
  values.take({Verb::mail, {{"{auth_authen}", "ann"}}});
  values.take({Verb::mail, {{"i", "Q3"}}});
  EXPECT_EQ(values[Macro::auth_authen], "");
}

TEST(MacroValues, OfTheConnectionHoldUntilTheNextOne) {
  MacroValues values;
  values.take({Verb::connect, {{"j", "mx"}, {"{client_port}", "1"}}});
  values.take({Verb::helo, {{"{tls_version}", "TLSv1.2"}}});
  values.begin_mail();
  values.end_mail();
  EXPECT_EQ(values[Macro::tls_version], "TLSv1.2");
  values.take({Verb::helo, {}});
  EXPECT_EQ(values[Macro::tls_version], "");
  EXPECT_EQ(values[Macro::mta], "mx");
  values.take({Verb::connect, {{"j", "other"}}});
  EXPECT_EQ(values[Macro::client_port], "");
  values.clear();
  EXPECT_EQ(values[Macro::mta], "");
}

TEST(MacroValues, AreBoundedAndPrintable) {
  MacroValues values;
  const std::string octets = "a\r\n\x1b" + std::string(5000, 'b');
  values.take({Verb::connect, {{"j", octets}}});
  EXPECT_EQ(values[Macro::mta].size(), 512u);
  EXPECT_EQ(values[Macro::mta].substr(0, 5), "a???b");
}

}  // namespace
}  // namespace sallyport::milter_service
