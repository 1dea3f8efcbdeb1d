#include "gateway/smtp/extensions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::smtp {
namespace {

using Lines = std::vector<std::string>;

Extensions everything() {
  return {.pipelining = true,
          .eight_bit_mime = true,
          .smtputf8 = true,
          .chunking = true,
          .dsn = true,
          .enhanced_status_codes = true,
          .starttls = true,
          .requiretls = true,
          .size = true,
          .max_size = 1000,
          .rcpt_max = 100,
          .mail_max = 20};
}

TEST(Extensions, AreWritten) {
  const Lines all = {"PIPELINING",          "8BITMIME", "SMTPUTF8",   "CHUNKING",  "DSN",
                     "ENHANCEDSTATUSCODES", "STARTTLS", "REQUIRETLS", "SIZE 1000", "LIMITS RCPTMAX=100 MAILMAX=20"};
  EXPECT_EQ(to_ehlo_lines(everything()), all);
  EXPECT_EQ(to_ehlo_lines({}), Lines{});
  Extensions some;
  some.size = true;
  some.rcpt_max = 5;
  EXPECT_EQ(to_ehlo_lines(some), (Lines{"SIZE", "LIMITS RCPTMAX=5"}));
}

TEST(Extensions, AreReadBack) {
  Lines lines = to_ehlo_lines(everything());
  lines.insert(lines.begin(), "mx.example.org greets you");
  EXPECT_EQ(read_ehlo_lines(lines), everything());
}

TEST(Extensions, AreReadFromWhateverAnUpstreamSays) {
  EXPECT_EQ(read_ehlo_lines({}), Extensions{});
  EXPECT_EQ(read_ehlo_lines({"PIPELINING"}), Extensions{});  // its name
  const Extensions read =
      read_ehlo_lines({"mx", "  pipelining  ", "AUTH PLAIN LOGIN", "AUTH=LOGIN", "", "X-EXPS GSSAPI", "Size\t35882577",
                       "STARTTLS extra", "8BITMIMEX", "HELP", "DSN"});
  Extensions expected;
  expected.pipelining = true;
  expected.starttls = true;
  expected.dsn = true;
  expected.size = true;
  expected.max_size = 35882577;
  EXPECT_EQ(read, expected);
}

TEST(Extensions, IgnoreMalformedLimits) {
  struct Case {
    const char* line;
    std::uint64_t max_size;
  };
  for (const Case& test : std::vector<Case>{{"SIZE", 0},
                                            {"SIZE 0", 0},
                                            {"SIZE x", 0},
                                            {"SIZE -1", 0},
                                            {"SIZE 99999999999999999999", 0},
                                            {"SIZE 7 8", 7}}) {
    const Extensions read = read_ehlo_lines({"mx", test.line});
    EXPECT_TRUE(read.size) << test.line;
    EXPECT_EQ(read.max_size, test.max_size) << test.line;
  }
  for (const char* line : {"LIMITS", "LIMITS RCPTMAX", "LIMITS RCPTMAX=", "LIMITS RCPTMAX=0", "LIMITS RCPTMAX=01",
                           "LIMITS RCPTMAX=1000000", "LIMITS RCPTMAX=x", "LIMITS =5", "LIMITS RCPTDOMAINMAX=1"}) {
    const Extensions read = read_ehlo_lines({"mx", line});
    EXPECT_FALSE(read.rcpt_max) << line;
    EXPECT_FALSE(read.mail_max) << line;
  }
  const Extensions mixed = read_ehlo_lines({"mx", "limits foo=1 rcptmax=50 MAILMAX=x"});
  EXPECT_EQ(mixed.rcpt_max, 50U);
  EXPECT_FALSE(mixed.mail_max);
}

TEST(Extensions, TakeTheLastOfTwo) { EXPECT_EQ(read_ehlo_lines({"mx", "SIZE 5", "SIZE 9"}).max_size, 9U); }

TEST(OfferFor, LeavesOutWhatAnUpstreamLacks) {
  const Extensions own = everything();
  for (bool Extensions::*extension :
       {&Extensions::eight_bit_mime, &Extensions::smtputf8, &Extensions::dsn, &Extensions::requiretls}) {
    Extensions lacking = everything();
    lacking.*extension = false;
    EXPECT_TRUE(offer_for(own, {everything(), everything()}).*extension);
    EXPECT_FALSE(offer_for(own, {everything(), lacking}).*extension);
    EXPECT_FALSE(offer_for(own, {}).*extension);  // unknown is not offered
    EXPECT_FALSE(offer_for(lacking, {everything()}).*extension);
  }
}

TEST(OfferFor, KeepsWhatIsOurs) {
  const Extensions offered = offer_for(everything(), {Extensions{}});
  EXPECT_TRUE(offered.pipelining);
  EXPECT_TRUE(offered.chunking);
  EXPECT_TRUE(offered.starttls);
  EXPECT_TRUE(offered.enhanced_status_codes);
  EXPECT_EQ(offered.rcpt_max, 100U);
  Extensions own = everything();
  own.starttls = false;
  EXPECT_FALSE(offer_for(own, {everything()}).starttls);
}

TEST(OfferFor, DropsSmtputf8WithoutEightBit) {
  Extensions upstream = everything();
  upstream.eight_bit_mime = false;
  EXPECT_FALSE(offer_for(everything(), {upstream}).smtputf8);
}

TEST(OfferFor, GivesTheSmallerSize) {
  const auto sized = [](std::uint64_t octets) {
    Extensions extensions;
    extensions.size = true;
    extensions.max_size = octets;
    return extensions;
  };
  EXPECT_EQ(offer_for(sized(1000), {sized(500), sized(700)}).max_size, 500U);
  EXPECT_EQ(offer_for(sized(1000), {sized(5000)}).max_size, 1000U);
  EXPECT_EQ(offer_for(sized(1000), {sized(0)}).max_size, 1000U);
  EXPECT_EQ(offer_for(sized(0), {sized(500)}).max_size, 500U);
  EXPECT_EQ(offer_for(sized(1000), {}).max_size, 1000U);
  Extensions silent;
  silent.max_size = 5;
  EXPECT_EQ(offer_for(sized(1000), {silent}).max_size, 1000U);
}

}  // namespace
}  // namespace sallyport::smtp
