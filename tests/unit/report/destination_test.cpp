// Who may get reports (RFC 9990, 4).
#include "gateway/report/destination.h"

#include <gtest/gtest.h>

namespace sallyport::report {
namespace {

std::string mailbox(std::string_view uri) {
  const auto parsed = parse_mailto(uri);
  return parsed ? parsed->address + " at " + parsed->host : "none";
}

TEST(ParseMailto, GivesThePlainAddress) {
  EXPECT_EQ(mailbox("mailto:Dmarc.Reports+x@Example.ORG"), "Dmarc.Reports+x@example.org at example.org");
  EXPECT_EQ(mailbox("MAILTO:a@example.org"), "a@example.org at example.org");
  EXPECT_EQ(mailbox(" mailto:a@example.org!10m "), "a@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:a@example.org?subject=x"), "a@example.org at example.org");
}

TEST(ParseMailto, UndoesPercentEncoding) {
  EXPECT_EQ(mailbox("mailto:dmarc%21x@example.org"), "dmarc!x@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:re%2Dports%2ball@example.org"), "re-ports+all@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:%61@%65xample.org!10m"), "a@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:a%3Fb%25c@example.org?subject=x"), "a?b%c@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:a@stra%C3%9Fe.example"), "a@xn--strae-oqa.example at xn--strae-oqa.example");
  // What needs quotes in an address gets them.
  EXPECT_EQ(mailbox("mailto:a%2Cb@example.org"), "\"a,b\"@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:%22a%2Cb%22@example.org"), "\"a,b\"@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:%22a.b%22@example.org"), "a.b@example.org at example.org");
  EXPECT_EQ(mailbox("mailto:a%40b@example.org"), "\"a@b\"@example.org at example.org");
}

TEST(ParseMailto, RefusesWhatIsNone) {
  for (const char* uri : {"https://example.org/",
                          "a@example.org",
                          "mailto:",
                          "mailto:a",
                          "mailto:@example.org",
                          "mailto:a@",
                          "mailto:a b@example.org",
                          "mailto:a@example.org,b@example.org",
                          "mailto:a%0d%0ab@example.org",
                          "mailto:a\r\nRCPT@example.org",
                          "mailto:\"a\"@example.org",
                          "mailto:.a@example.org",
                          "mailto:a..b@example.org",
                          "mailto:a>@example.org",
                          "mailto:a@example.org>",
                          "mailto:a@[192.0.2.1]",
                          "mailto:a%@example.org",
                          "mailto:a%2@example.org",
                          "mailto:a%zz@example.org",
                          "mailto:%22@example.org",
                          "mailto:%5C%22@example.org",
                          "mailto:a%3E%20x@example.org",
                          "mailto:a%3Cb%2C@example.org",
                          "mailto:a%20b@example.org",
                          "mailto:a%00@example.org",
                          "mailto:%C3%9F@example.org",
                          "mailto:a@example.org%0d%0aRCPT",
                          "mailto:a@b%40c.example",
                          "mailto:%@example.org"})
    EXPECT_EQ(mailbox(uri), "none") << uri;
  EXPECT_EQ(mailbox("mailto:" + std::string(65, 'a') + "@example.org"), "none");
}

TEST(AuthorizationName, IsBelowTheHost) {
  EXPECT_EQ(authorization_name("Example.org", "vendor.example"), "example.org._report._dmarc.vendor.example");
  EXPECT_EQ(authorization_name(std::string(250, 'a'), "vendor.example"), std::nullopt);
}

using Answer = Destination::Answer;

Destination judged(std::vector<std::string> texts, dns::Status status = dns::Status::ok) {
  dns::Answer answer;
  answer.status = status;
  for (auto& text : texts) answer.records.emplace_back(std::move(text));
  return judge_destination({"a@vendor.example", "vendor.example"}, answer);
}

TEST(Destination, AgreesWithARecordThatBeginsWithTheVersion) {
  for (const char* text : {"v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p=none", "v=DMARC1; rua=mailto:a@vendor.example"}) {
    const Destination found = judged({text});
    EXPECT_EQ(found.answer, Answer::allowed) << text;
    EXPECT_EQ(found.address, "a@vendor.example") << text;
  }
  EXPECT_EQ(judged({"v=spf1 -all", "v=DMARC1"}).answer, Answer::allowed);
}

TEST(Destination, DoesNotAgreeOtherwise) {
  for (const char* text : {"", "v=DMARC", "v=DMARC10", "v=dmarc1", "p=none; v=DMARC1", "x"})
    EXPECT_EQ(judged({text}).answer, Answer::refused) << text;
  EXPECT_EQ(judged({}, dns::Status::nxdomain).answer, Answer::refused);
  EXPECT_EQ(judged({}, dns::Status::no_data).answer, Answer::refused);
}

TEST(Destination, MayNameAnotherAddressOfItsOwnOnly) {
  EXPECT_EQ(judged({"v=DMARC1; rua=mailto:b@Vendor.example"}).address, "b@vendor.example");
  EXPECT_EQ(judged({"v=DMARC1; rua=mailto:x@other.example, mailto:b@vendor.example"}).address, "b@vendor.example");
  EXPECT_EQ(judged({"v=DMARC1; rua=mailto:x@other.example"}).answer, Answer::refused);
  EXPECT_EQ(judged({"v=DMARC1; rua=mailto:x@sub.vendor.example"}).answer, Answer::refused);
}

TEST(Destination, IsUnknownWhileTheDnsDoesNotAnswer) {
  EXPECT_EQ(judged({}, dns::Status::timeout).answer, Answer::unknown);
  EXPECT_EQ(judged({}, dns::Status::servfail).answer, Answer::unknown);
}

}  // namespace
}  // namespace sallyport::report
