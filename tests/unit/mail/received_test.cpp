// Our Received field and the loops that others' show (RFC 5321, 4.4; threats.md S37, S39).
#include "gateway/mail/received.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sallyport::mail {
namespace {

using namespace std::chrono_literals;

ReceivedInfo usual() {
  ReceivedInfo info;
  info.helo = "mail.example.org";
  info.rdns = "out1.example.org";
  info.ip_literal = "[192.0.2.1]";
  info.by = "mx1.example.com";
  info.extended = true;
  info.id = "01JD3K7Q9V5W2X4Y";
  info.for_address = "bob@example.com";
  info.date = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 21h + 55min + 29s;
  return info;
}

TEST(MakeReceived, WritesAPlainField) {
  EXPECT_EQ(make_received(usual()),
            "Received: from mail.example.org (out1.example.org [192.0.2.1])\r\n"
            "\tby mx1.example.com with ESMTP\r\n"
            "\tid 01JD3K7Q9V5W2X4Y for <bob@example.com>;\r\n"
            "\tSun, 22 Nov 2026 21:55:29 +0000\r\n");
}

TEST(MakeReceived, TellsOfTls) {
  ReceivedInfo info = usual();
  info.tls = true;
  info.tls_version = "TLSv1.3";
  info.tls_cipher = "TLS_AES_128_GCM_SHA256";
  info.tls_bits = 128;
  info.rdns = "";
  info.for_address = "";
  EXPECT_EQ(make_received(info),
            "Received: from mail.example.org (unknown [192.0.2.1])\r\n"
            "\tby mx1.example.com with ESMTPS (TLSv1.3 cipher TLS_AES_128_GCM_SHA256 bits 128)\r\n"
            "\tid 01JD3K7Q9V5W2X4Y;\r\n"
            "\tSun, 22 Nov 2026 21:55:29 +0000\r\n");
}

TEST(MakeReceived, NamesTheProtocol) {
  struct Case {
    bool extended, tls, utf8;
    const char* word;
  };
  for (const Case& given :
       {Case{false, false, false, "SMTP"}, Case{true, false, false, "ESMTP"}, Case{true, true, false, "ESMTPS"},
        Case{true, false, true, "UTF8SMTP"}, Case{true, true, true, "UTF8SMTPS"}, Case{false, true, false, "SMTP"}}) {
    ReceivedInfo info = usual();
    info.extended = given.extended;
    info.tls = given.tls;
    info.utf8 = given.utf8;
    std::string field = make_received(info);
    std::size_t at = field.find(" with ") + 6;
    EXPECT_EQ(field.substr(at, field.find_first_of(" \r", at) - at), given.word);
  }
}

TEST(MakeReceived, LetsNoPeerEndOrContinueTheField) {
  ReceivedInfo info = usual();
  info.helo = "evil)\r\nBcc: x@y (";
  info.rdns = "a\r\n\r\nbody;";
  info.for_address = "a\r\nb@example.com";
  EXPECT_EQ(make_received(info),
            "Received: from evil???Bcc:?x?y?? (a????body? [192.0.2.1])\r\n"
            "\tby mx1.example.com with ESMTP\r\n"
            "\tid 01JD3K7Q9V5W2X4Y;\r\n"
            "\tSun, 22 Nov 2026 21:55:29 +0000\r\n");
}

TEST(MakeReceived, NamesARecipientOnlyInCharactersOfTheMessage) {
  ReceivedInfo info = usual();
  info.for_address = "j\xc3\xbcrgen@example.com";
  EXPECT_EQ(make_received(info).find(" for "), std::string::npos);
  info.utf8 = true;
  EXPECT_NE(make_received(info).find(" for <j\xc3\xbcrgen@example.com>;"), std::string::npos);
  info.for_address = "j\xfcrgen@example.com";
  EXPECT_EQ(make_received(info).find(" for "), std::string::npos);
}

TEST(MakeReceived, SaysUnknownWithoutAHelo) {
  ReceivedInfo info = usual();
  info.helo = "";
  EXPECT_TRUE(make_received(info).starts_with("Received: from unknown (out1.example.org "));
}

TEST(MakeReceived, KeepsItsLinesShort) {
  ReceivedInfo info = usual();
  std::string longest(5000, 'a');
  info.helo = longest;
  info.rdns = longest;
  info.for_address = longest;
  std::string field = make_received(info);
  for (std::size_t at = 0; at < field.size();) {
    std::size_t end = field.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 998u);
    at = end + 2;
  }
}

TEST(FindLoopSigns, KnowsItsOwnMark) {
  std::string octets = make_received(usual()) + "Subject: x\r\n\r\n";
  LoopSigns signs = find_loop_signs(HeaderSection(octets), "MX1.example.com");
  EXPECT_EQ(signs.received_fields, 1u);
  EXPECT_EQ(signs.own_marks, 1u);
}

TEST(FindLoopSigns, CountsEveryReceivedFieldAndOnlyOurMarks) {
  std::string octets =
      "Received: from a by mx1.example.com (Postfix) with ESMTP id 4XyzAbc; date\r\n"        // an id not of our form
      "Received: from a by mx2.example.com with ESMTP id 01JD3K7Q9V5W2X4Y; date\r\n"         // not us
      "Received: from a (by mx1.example.com) by b with ESMTP id 01JD3K7Q9V5W2X4Y; date\r\n"  // us only in a comment
      "RECEIVED: from by (x) by\r\n mx1.example.com with SMTP id 01JD3K7Q9V5W2X4Y;date\r\n"  // folded, without a space
      "Received: from by mx1.example.com by b with ESMTP (\\(id) id 01JD3K7Q9V5W2X4Y\r\n"    // who names a host `by`...
      "Received:\r\n"
      "X-Received: by mx1.example.com id 01JD3K7Q9V5W2X4Y\r\n\r\n";
  LoopSigns signs = find_loop_signs(HeaderSection(octets), "mx1.example.com");
  EXPECT_EQ(signs.received_fields, 6u);
  EXPECT_EQ(signs.own_marks, 2u);
}

TEST(FindLoopSigns, SurvivesUnbalancedComments) {
  std::string octets =
      "Received: from a (((( by mx1.example.com id 01JD3K7Q9V5W2X4Y\r\n"
      "Received: from a )))\\ by mx1.example.com id 01JD3K7Q9V5W2X4Y (\\\r\n\r\n";
  LoopSigns signs = find_loop_signs(HeaderSection(octets), "mx1.example.com");
  EXPECT_EQ(signs.received_fields, 2u);
  EXPECT_EQ(signs.own_marks, 1u);
}

}  // namespace
}  // namespace sallyport::mail
