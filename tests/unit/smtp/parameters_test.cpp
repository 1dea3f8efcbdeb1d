#include "gateway/smtp/parameters.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;

Extensions everything() {
  Extensions offered;
  offered.size = true;
  offered.eight_bit_mime = true;
  offered.smtputf8 = true;
  offered.requiretls = true;
  offered.dsn = true;
  return offered;
}

TEST(MailParameters, AreRead) {
  const auto mail = parse_mail_parameters(" SIZE=1000  body=8bitmime\tSMTPUTF8 REQUIRETLS RET=hdrs ENVID=QQ314159+2Bx ",
                                          everything());
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->size, 1000U);
  EXPECT_EQ(mail->body, Body::eight_bit_mime);
  EXPECT_TRUE(mail->smtputf8);
  EXPECT_TRUE(mail->requiretls);
  EXPECT_EQ(mail->ret, "HDRS");
  EXPECT_EQ(mail->envid, "QQ314159+2Bx");
}

TEST(MailParameters, MayBeAbsent) {
  for (const char* text : {"", " ", " \t "}) {
    const auto mail = parse_mail_parameters(text, {});
    ASSERT_TRUE(mail);
    EXPECT_FALSE(mail->size);
    EXPECT_EQ(mail->body, Body::unspecified);
    EXPECT_FALSE(mail->smtputf8);
    EXPECT_FALSE(mail->requiretls);
    EXPECT_TRUE(mail->ret.empty());
    EXPECT_TRUE(mail->envid.empty());
  }
}

TEST(MailParameters, AreRefused) {
  struct Case {
    std::string text;
    ParameterError error;
  };
  const std::vector<Case> cases = {
      {"SIZE=1", ParameterError::glued},
      {">", ParameterError::glued},
      {" FOO", ParameterError::unknown},
      {" FOO=bar", ParameterError::unknown},
      {" AUTH=<>", ParameterError::unknown},  // S34
      {" AUTH=ann+40x", ParameterError::unknown},
      {" NOTIFY=NEVER", ParameterError::unknown},  // of RCPT
      {" BY=1;R", ParameterError::unknown},
      {" =1", ParameterError::bad_name},
      {" <x>", ParameterError::bad_name},
      {" -x", ParameterError::bad_name},
      {" SIZE=1 SIZE=1", ParameterError::repeated},
      {" SIZE=1 size=2", ParameterError::repeated},
      {" SMTPUTF8 SMTPUTF8", ParameterError::repeated},
      {" SIZE", ParameterError::bad_value},  // S29
      {" SIZE=", ParameterError::bad_value},
      {" SIZE=x", ParameterError::bad_value},
      {" SIZE=-1", ParameterError::bad_value},
      {" SIZE=+1", ParameterError::bad_value},
      {" SIZE=1=2", ParameterError::bad_value},
      {" SIZE=0x10", ParameterError::bad_value},
      {" SIZE=000000000000000000001", ParameterError::bad_value},
      {" SIZE=18446744073709551616", ParameterError::too_large},
      {" SIZE=99999999999999999999", ParameterError::too_large},
      {" BODY=BINARYMIME", ParameterError::bad_value},
      {" BODY=", ParameterError::bad_value},
      {" BODY", ParameterError::bad_value},
      {" SMTPUTF8=1", ParameterError::bad_value},
      {" SMTPUTF8=", ParameterError::bad_value},
      {" REQUIRETLS=yes", ParameterError::bad_value},
      {" RET=NONE", ParameterError::bad_value},
      {" ENVID=", ParameterError::bad_value},
      {" ENVID=a=b", ParameterError::bad_value},
      {" ENVID=a+2b", ParameterError::bad_value},
      {" ENVID=a+2", ParameterError::bad_value},
      {" ENVID=a+", ParameterError::bad_value},
      {" ENVID=a\x01", ParameterError::bad_value},
      {" ENVID=caf\xc3\xa9", ParameterError::bad_value},
      {" ENVID=" + std::string(101, 'a'), ParameterError::bad_value},
  };
  for (const Case& test : cases) {
    const auto mail = parse_mail_parameters(test.text, everything());
    ASSERT_FALSE(mail) << test.text;
    EXPECT_EQ(mail.error(), test.error) << test.text;
  }
}

TEST(MailParameters, AcceptTheirLimits) {
  EXPECT_EQ(parse_mail_parameters(" SIZE=18446744073709551615", everything())->size, UINT64_MAX);
  EXPECT_EQ(parse_mail_parameters(" SIZE=00000000000000000001", everything())->size, 1U);
  EXPECT_EQ(parse_mail_parameters(" SIZE=0", everything())->size, 0U);
  EXPECT_EQ(parse_mail_parameters(" BODY=7BIT", everything())->body, Body::seven_bit);
  EXPECT_EQ(parse_mail_parameters(" ENVID=" + std::string(100, 'a'), everything())->envid.size(), 100U);
}

// S11: what was not offered is an error, whatever its value.
TEST(MailParameters, NeedTheirExtension) {
  struct Case {
    bool Extensions::*extension;
    const char* text;
  };
  for (const Case& test : std::vector<Case>{{&Extensions::size, " SIZE=1"},
                                            {&Extensions::size, " SIZE=x"},
                                            {&Extensions::eight_bit_mime, " BODY=8BITMIME"},
                                            {&Extensions::eight_bit_mime, " BODY=7BIT"},
                                            {&Extensions::smtputf8, " SMTPUTF8"},
                                            {&Extensions::requiretls, " REQUIRETLS"},
                                            {&Extensions::dsn, " RET=FULL"},
                                            {&Extensions::dsn, " ENVID=x"}}) {
    Extensions offered = everything();
    offered.*test.extension = false;
    const auto mail = parse_mail_parameters(test.text, offered);
    ASSERT_FALSE(mail) << test.text;
    EXPECT_EQ(mail.error(), ParameterError::unknown) << test.text;
  }
  EXPECT_EQ(parse_mail_parameters(" BODY=binarymime", {}).error(), ParameterError::bad_value);  // S34
}

TEST(RcptParameters, AreRead) {
  const auto rcpt = parse_rcpt_parameters(" NOTIFY=DELAY,success ORCPT=rfc822;Ann+2B@example.org", everything());
  ASSERT_TRUE(rcpt);
  EXPECT_EQ(rcpt->notify, "SUCCESS,DELAY");
  EXPECT_EQ(rcpt->orcpt, "rfc822;Ann+2B@example.org");
  EXPECT_EQ(parse_rcpt_parameters(" notify=never", everything())->notify, "NEVER");
  EXPECT_EQ(parse_rcpt_parameters(" NOTIFY=FAILURE,FAILURE", everything())->notify, "FAILURE");
  EXPECT_EQ(parse_rcpt_parameters("", {})->notify, "");
  EXPECT_EQ(parse_rcpt_parameters(" ORCPT=x;" + std::string(498, 'a'), everything())->orcpt.size(), 500U);
}

TEST(RcptParameters, AreRefused) {
  for (const std::string& text :
       {" NOTIFY=NEVER,SUCCESS"s, " NOTIFY=SUCCESS,NEVER"s, " NOTIFY="s, " NOTIFY"s, " NOTIFY=,"s, " NOTIFY=SUCCESS,"s,
        " NOTIFY=SOMETIMES"s, " ORCPT=ann@x"s, " ORCPT=;ann"s, " ORCPT=rfc822;"s, " ORCPT=rfc822;a=b"s,
        " ORCPT=rfc822;a+2"s, " ORCPT=rfc(822;a"s, " ORCPT=rf.c;a"s, " ORCPT="s, " ORCPT=x;" + std::string(499, 'a')}) {
    const auto rcpt = parse_rcpt_parameters(text, everything());
    ASSERT_FALSE(rcpt) << text;
    EXPECT_EQ(rcpt.error(), ParameterError::bad_value) << text;
  }
  EXPECT_EQ(parse_rcpt_parameters(" NOTIFY=NEVER", {}).error(), ParameterError::unknown);
  EXPECT_EQ(parse_rcpt_parameters(" ORCPT=rfc822;x", {}).error(), ParameterError::unknown);
  EXPECT_EQ(parse_rcpt_parameters(" SIZE=1", everything()).error(), ParameterError::unknown);
  EXPECT_EQ(parse_rcpt_parameters(" SMTPUTF8", everything()).error(), ParameterError::unknown);
  EXPECT_EQ(parse_rcpt_parameters(" NOTIFY=NEVER NOTIFY=NEVER", everything()).error(), ParameterError::repeated);
  EXPECT_EQ(parse_rcpt_parameters("x", everything()).error(), ParameterError::glued);
}

// RFC 6533, 3
TEST(RcptParameters, TakeAnOriginalRecipientInUtf8) {
  for (const char* value :
       {"utf-8;ann@example.org",
        "UTF-8;b\xc3\xb6rje@b\xc3\xbc"
        "cher.example",
        "utf-8;b\\x{F6}rje@x", "utf-8;\\x{10FFFF}", "utf-8;a\\x{2b}b\\x{3D}c\\x{5C}@x", "utf-8;a+2Bb@x",
        "utf-8;\xe6\x9e\x97\\x{6797}@\xe4\xbe\x8b.example", "utf-8;\xf0\x9f\x93\xac"}) {
    const auto rcpt = parse_rcpt_parameters(std::string(" ORCPT=") + value, everything());
    ASSERT_TRUE(rcpt) << value;
    EXPECT_EQ(rcpt->orcpt, value) << "as it came";
  }
  for (const char* value :
       {"utf-8;", "utf-8;a=b", "utf-8;a+b", "utf-8;\xff", "utf-8;\xc3", "utf-8;\xed\xa0\x80", "utf-8;a\\b",
        "utf-8;\\x{}", "utf-8;\\x{F}", "utf-8;\\x{F6", "utf-8;\\x{G6}", "utf-8;\\x{-6}", "utf-8;\\x{0000001}",
        "utf-8;\\x{110000}", "utf-8;\\x{D800}", "utf-8;\\x{00}", "utf-8;\\xF6", "utf-8;a+4\xc3\xb6", "utf-8;\x01"}) {
    const auto rcpt = parse_rcpt_parameters(std::string(" ORCPT=") + value, everything());
    ASSERT_FALSE(rcpt) << value;
    EXPECT_EQ(rcpt.error(), ParameterError::bad_value) << value;
  }
}

// S11
TEST(MisplacedEightBit, IsAllButTheOriginalRecipientOfAnInternationalMail) {
  for (const char* text : {"", " NOTIFY=NEVER ORCPT=rfc822;bob", " ORCPT=utf-8;j\xc3\xb6rg", " orcpt=UTF-8;\xff"})
    EXPECT_FALSE(has_misplaced_8bit(text, true)) << text;
  for (const char* text :
       {" ORCPT=rfc822;j\xc3\xb6rg", " ORCPT=utf-9;j\xc3\xb6rg", " XORCPT=utf-8;\xc3\xb6", " ORCPT\xc3\xb6=utf-8;a",
        " ORCPT=utf-8;\xc3\xb6 \xc3\xb6", "\xc3\xb6", " ORCPT=utf\xc3\xb6-8;a"})
    EXPECT_TRUE(has_misplaced_8bit(text, true)) << text;
  EXPECT_TRUE(has_misplaced_8bit(" ORCPT=utf-8;j\xc3\xb6rg", false));
}

TEST(AsksForSmtputf8, LooksForTheWord) {
  EXPECT_TRUE(asks_for_smtputf8("<a@b> SMTPUTF8"));
  EXPECT_TRUE(asks_for_smtputf8(" <a@b> SIZE=1 smtputf8 BODY=8BITMIME"));
  EXPECT_FALSE(asks_for_smtputf8("<a@b>"));
  EXPECT_FALSE(asks_for_smtputf8("<SMTPUTF8@b>"));
  EXPECT_FALSE(asks_for_smtputf8("<a@b> SMTPUTF8=1"));
  EXPECT_FALSE(asks_for_smtputf8(""));
}

}  // namespace
}  // namespace sallyport::smtp
