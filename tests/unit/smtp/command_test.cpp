#include "gateway/smtp/command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Case {
  const char* line;
  Verb verb;
  const char* arguments;
  bool is_malformed = false;
};

TEST(ParseCommand, TakesLinesApart) {
  const std::vector<Case> cases = {
      {"EHLO mail.example.org", Verb::ehlo, "mail.example.org"},
      {"ehlo mail.example.org", Verb::ehlo, "mail.example.org"},
      {"HeLo\tx", Verb::helo, "x"},
      {"EHLO", Verb::ehlo, ""},
      {"EHLO   two  words  \t", Verb::ehlo, "two  words"},
      {"NOOP", Verb::noop, ""},
      {"NOOP whatever", Verb::noop, "whatever"},
      {"QUIT  ", Verb::quit, ""},
      {"MAIL FROM:<a@b>", Verb::mail, "<a@b>"},
      {"mail from:<a@b> SIZE=1 ", Verb::mail, "<a@b> SIZE=1"},
      {"MAIL   From: <a@b>", Verb::mail, " <a@b>"},
      {"MAIL FROM:", Verb::mail, ""},
      {"RCPT TO:<a@b>", Verb::rcpt, "<a@b>"},
      {"rcpt to: a@b", Verb::rcpt, " a@b"},
      {"BDAT 10 LAST", Verb::bdat, "10 LAST"},
      {"STARTTLS", Verb::starttls, ""},
      {"VRFY ann", Verb::vrfy, "ann"},
      {"XCLIENT ADDR=192.0.2.1", Verb::xclient, "ADDR=192.0.2.1"},
      {"XFORWARD NAME=x", Verb::xforward, "NAME=x"},
      {"AUTH PLAIN", Verb::auth, "PLAIN"},
      {"MAIL", Verb::mail, "", true},
      {"MAIL <a@b>", Verb::mail, "<a@b>", true},
      {"MAIL FROM<a@b>", Verb::mail, "FROM<a@b>", true},
      {"MAIL TO:<a@b>", Verb::mail, "TO:<a@b>", true},
      {"RCPT FROM:<a@b>", Verb::rcpt, "FROM:<a@b>", true},
      {"RCPT", Verb::rcpt, "", true},
      {"MAIL:<a@b>", Verb::mail, ":<a@b>", true},
      {"QUIT;", Verb::quit, ";", true},
      {"DATA now", Verb::data, "now", true},
      {"RSET x", Verb::rset, "x", true},
      {"QUIT x", Verb::quit, "x", true},
      {"STARTTLS x", Verb::starttls, "x", true},
      {"", Verb::unknown, ""},
      {" NOOP", Verb::unknown, "NOOP"},
      {"NOOPX", Verb::unknown, ""},
      {"DATA2", Verb::unknown, ""},
      {"BDATA 6", Verb::unknown, "6"},
      // S30: a chunk follows, whatever stands in for its count.
      {"BDAT6 LAST", Verb::bdat, "6 LAST", true},
      {"bdat-6", Verb::bdat, "-6", true},
      {"BDAT+6", Verb::bdat, "+6", true},
      {"BDAT\xc2\xb2 LAST", Verb::bdat, "\xc2\xb2 LAST", true},
      {"MAILFROM:<a@b>", Verb::unknown, ":<a@b>", true},
      {"WHATISTHIS", Verb::unknown, ""},
      {"X-FOO bar", Verb::unknown, "bar"},
  };
  for (const Case& test : cases) {
    const Command command = parse_command(test.line);
    EXPECT_EQ(command.verb, test.verb) << test.line;
    EXPECT_EQ(command.arguments, test.arguments) << test.line;
    EXPECT_EQ(command.is_malformed, test.is_malformed) << test.line;
  }
}

TEST(ParseCommand, KnowsEveryVerbByItsName) {
  for (int i = 0; i < static_cast<int>(Verb::unknown); ++i) {
    const auto verb = static_cast<Verb>(i);
    EXPECT_EQ(parse_command(std::string(name(verb)) + " x").verb, verb);
  }
  EXPECT_EQ(name(Verb::mail), "MAIL");
  EXPECT_EQ(name(Verb::unknown), "unknown");
}

// S36
TEST(ParseGreeting, TakesTheFirstWord) {
  EXPECT_EQ(*parse_greeting("mail.example.org"), "mail.example.org");
  EXPECT_EQ(*parse_greeting("  mail.example.org and more "), "mail.example.org");
  EXPECT_EQ(*parse_greeting("[192.0.2.1]"), "[192.0.2.1]");
  EXPECT_EQ(*parse_greeting(std::string(255, 'a')), std::string(255, 'a'));
  EXPECT_EQ(parse_greeting("").error(), GreetingError::missing);
  EXPECT_EQ(parse_greeting(" \t").error(), GreetingError::missing);
  EXPECT_EQ(parse_greeting(std::string(256, 'a')).error(), GreetingError::malformed);
  EXPECT_EQ(parse_greeting("a\x01"
                           "b")
                .error(),
            GreetingError::malformed);
  EXPECT_EQ(parse_greeting("a\x7f").error(), GreetingError::malformed);
  EXPECT_EQ(parse_greeting("caf\xc3\xa9").error(), GreetingError::malformed);
}

// S17
TEST(OtherProtocol, IsKnownByItsFirstWord) {
  for (const char* line :
       {"GET / HTTP/1.1", "POST /evil HTTP/1.1", "PUT / HTTP/1.0", "HEAD / HTTP/1.0",
        "CONNECT www.evil.example:80 HTTP/1.1", "OPTIONS * HTTP/1.1", "DELETE /x HTTP/1.1", "PRI * HTTP/2.0",
        "get / http/1.1", "SSH-2.0-OpenSSH_9.2", "Host: example.org", "User-Agent: curl", "Subject: hi",
        "From: ann@example.org", "X-Forwarded-For: 192.0.2.1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2"})
    EXPECT_TRUE(is_other_protocol(line)) << line;
  for (const char* line :
       {"EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<a@b>", "MAIL:<a@b>", "STARTTLS:", "GET", "GETTING / x", "", ":",
        " Host: x", "WHATISTHIS", "ssh-", "1:", "HELO a:b", "NOOP x: y", "QUIT"})
    EXPECT_FALSE(is_other_protocol(line)) << line;
}

TEST(TlsRecord, IsKnownByThreeOctets) {
  EXPECT_TRUE(is_tls_record("\x16\x03\x01\x02\x00"sv));
  EXPECT_TRUE(is_tls_record("\x16\x03\x00"sv));
  EXPECT_TRUE(is_tls_record("\x16\x03\x04"sv));
  EXPECT_FALSE(is_tls_record("\x16\x03\x05"sv));
  EXPECT_FALSE(is_tls_record("\x16\x03\xff"sv));
  EXPECT_FALSE(is_tls_record("\x16\x03"sv));
  EXPECT_FALSE(is_tls_record("\x15\x03\x01"sv));
  EXPECT_FALSE(is_tls_record("EHLO"sv));
  EXPECT_FALSE(is_tls_record(""sv));
}

TEST(ParseBdat, ReadsCountAndLast) {
  struct Good {
    const char* arguments;
    std::uint64_t octets;
    bool last;
  };
  for (const Good& test : std::vector<Good>{{"0", 0, false},
                                            {"10", 10, false},
                                            {"0 LAST", 0, true},
                                            {"86 last", 86, true},
                                            {"1 \t LAST", 1, true},
                                            {"00000000000000000001", 1, false},
                                            {"9223372036854775807", (std::uint64_t{1} << 63) - 1, false}}) {
    const auto bdat = parse_bdat(test.arguments);
    ASSERT_TRUE(bdat) << test.arguments;
    EXPECT_EQ(bdat->octets, test.octets) << test.arguments;
    EXPECT_EQ(bdat->last, test.last) << test.arguments;
  }
}

// S30
TEST(ParseBdat, RefusesEverythingElse) {
  for (const char* arguments : {"",
                                "LAST",
                                "-1",
                                "+1",
                                "0x10",
                                "1a",
                                "1.0",
                                "1,000",
                                "9223372036854775808",
                                "18446744073709551616",
                                "99999999999999999999",
                                "000000000000000000001",
                                "10 LAST x",
                                "10 LASTX",
                                "10 20",
                                "10LAST",
                                "10 LAST LAST",
                                "1\xc2\xb2",
                                "\xd9\xa1",
                                "10 LAST\xff",
                                "10\xc2\xa0LAST",
                                "10 L\xc3\x84ST"})
    EXPECT_FALSE(parse_bdat(arguments)) << arguments;
}

}  // namespace
}  // namespace sallyport::smtp
