#include "gateway/mail/author_domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::mail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

AuthorDomains of(const std::string& header) { return author_domains(HeaderSection(header)); }
AuthorDomains of_from(const std::string& value) {
  static std::string kept;  // the section points into it
  kept = "From: " + value + "\r\n\r\n";
  return author_domains(HeaderSection(kept));
}

TEST(AuthorDomains, OfOrdinaryAuthors) {
  EXPECT_THAT(of_from("ann@example.org").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("Ann Other <ann@Mail.Example.ORG>").domains, ElementsAre("mail.example.org"));
  EXPECT_THAT(of_from("\"Other, Ann\" <ann@example.org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("ann@example.org (Ann Other)").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("=?utf-8?q?Ann_=C3=96ther?=\r\n <ann@example.org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("\"Ann @ Work\" <ann@example.org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("Other, Ann <ann@example.org>").domains, ElementsAre("example.org"));
  EXPECT_FALSE(of_from("Ann Other <ann@example.org>").has_malformed_domain);
}

TEST(AuthorDomains, SeveralMailboxesOfOneDomainAreOneAuthor) {
  EXPECT_THAT(of_from("a@example.org, B <b@EXAMPLE.org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("ann@example.org <ann@example.org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("Team: a@example.org, b@example.org;").domains, ElementsAre("example.org"));
}

TEST(AuthorDomains, SeveralDomainsAreSeveralAuthors) {
  for (const char* value : {
           "a@one.example, b@two.example",
           "<a@one.example>, <b@two.example>",
           "<a@one.example><b@two.example>",
           "<a@one.example> b@two.example",       // text after the address
           "@one.example:b@two.example",          // a route outside brackets
           "a@one.example, Bob <b@two.example>",  // two mailboxes
           "a@one.example; Bob <b@two.example>",
           "a@one.example\\ <b@two.example>",    // a pair outside quotes
           "a@one.example <b@two.example> (",    // a comment that stays open behind it
           "<a@one.example>\\,<b@two.example>",  // a pair outside quotes
           "\"a@one.example\"@two.example",      // a quoted local part
           "\"a@one.example\" (x) @two.example",
           "<a@one.example@two.example>",
           "=?utf-8?B?PGFAb25lLmV4YW1wbGU+?=, <b@two.example>",
           "=?utf-8?Q?=3Ca=40one.example=3E?= <b@two.example>",
           "\"a@one.example <b@two.example>",  // quotes that stay open
           "(a@one.example <b@two.example>",   // a comment that does
           "a@one.example;b@two.example",
       }) {
    EXPECT_THAT(of_from(value).domains, UnorderedElementsAre("one.example", "two.example")) << value;
  }
  EXPECT_EQ(of_from(std::string("a@one.example\0 <b@two.example>", 31)).domains.size(), 2u) << "some end at a NUL";
}

// D21
TEST(AuthorDomains, AnAddressInBracketsIsTheAuthors) {
  struct Case {
    const char* value;
    std::vector<std::string> shown;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"Ann @ Work <ann@example.org>", {"work"}},
           {"Ann @Work <ann@example.org>", {"work"}},
           {"@ann <ann@example.org>", {"ann"}},
           {"Now @ 50% <ann@example.org>", {}},
           {"Ann @ Work, Inc. <ann@example.org>", {"work"}},
           {"Now @ 50%, today <ann@example.org>", {}},
           {"Now @ <ann@example.org>", {}},
           {"service@bank.example <ann@example.org>", {"bank.example"}},
           {"service@bank.example<ann@example.org>", {"bank.example"}},
           {"ann@example.org <ann@example.org>", {}},
           {"service @ bank . example via x@list.example <ann@example.org>", {"bank.example", "list.example"}},
           {"\"service@bank.example\" <ann@example.org>", {"bank.example"}},
           {"=?utf-8?q?service=40?= =?utf-8?q?bank.example?= <ann@example.org>", {"bank.example"}},
           {"Team: service@bank.example <ann@example.org>;", {"bank.example"}},
           {"service@[192.0.2.1] <ann@example.org>", {}},
           {"<@relay.example:ann@example.org>", {}},
           {"Ann <@relay.example,@other.example:ann@example.org>", {}},
           {"Ann < @relay.example : ann@example.org >", {}},
           {"(service@bank.example) <ann@example.org>", {}}}) {
    const AuthorDomains found = of_from(one.value);
    EXPECT_THAT(found.domains, ElementsAre("example.org")) << one.value;
    EXPECT_THAT(found.shown, UnorderedElementsAreArray(one.shown)) << one.value;
    EXPECT_FALSE(found.has_malformed_domain) << one.value;
  }
}

TEST(AuthorDomains, APhraseCountsWhereTheBracketsHoldNoDomain) {
  for (const char* value : {"ann@example.org <>", "ann@example.org <ann>", "ann@example.org <ann@[192.0.2.1]>",
                            "\"ann@example.org\" <>", "\"ann@example.org\"", "=?utf-8?q?ann=40example.org?=",
                            "=?utf-8?q?ann=40?=\r\n =?utf-8?b?ZXhhbXBsZS5vcmc=?= <ann>"}) {
    EXPECT_THAT(of_from(value).domains, ElementsAre("example.org")) << value;
  }
}

TEST(AuthorDomains, CommentsAndSpacesMayStandInAnAddress) {
  EXPECT_THAT(of_from("<ann @ example . (really) org>").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("ann@(a@b.example)example.org").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("ann (with (nested) \\) ones)@example.org").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from("<ann@example.org.>").domains, ElementsAre("example.org"));
}

TEST(AuthorDomains, InternationalDomainsAreALabels) {
  EXPECT_THAT(of_from("Anna <anna@Stra\xc3\x9f"
                      "e.example>")
                  .domains,
              ElementsAre("xn--strae-oqa.example"));
}

TEST(AuthorDomains, ADomainThatIsNoneIsToldFromNoDomain) {
  for (const char* value :
       {"<ann@-x.example>", "ann@exa..mple", "ann@\"example.org\"", "ann@[192.0.2.1", "ann@(x)<y>"}) {
    const AuthorDomains found = of_from(value);
    EXPECT_TRUE(found.has_malformed_domain) << value;
    EXPECT_THAT(found.domains, IsEmpty()) << value;
  }
  for (const char* value : {"", "<>", "undisclosed:;", "Ann Other", "ann@[192.0.2.1]", "<ann@[IPv6:2001:db8::1]>",
                            "ann@", "Ann <ann@>", "cron-daemon", "<printer>"}) {
    EXPECT_FALSE(of_from(value).has_malformed_domain) << value;
    EXPECT_THAT(of_from(value).domains, IsEmpty()) << value;
    EXPECT_EQ(of_from(value).fields, 1u) << value;
  }
}

TEST(AuthorDomains, EveryFieldThatSomeReaderTakesForFromCounts) {
  const std::string from = "From: <a@one.example>\r\n";
  EXPECT_EQ(of("To: <a@one.example>\r\n\r\n").fields, 0u);
  EXPECT_EQ(of(from + "\r\n").fields, 1u);
  EXPECT_FALSE(of("From : <a@one.example>\r\n\r\n").has_malformed_name);
  EXPECT_TRUE(of("From\r\n : <a@one.example>\r\n\r\n").has_malformed_name);
  for (const char* other :
       {"From: <b@two.example>\r\n", "FROM : <b@two.example>\r\n", "From\r\n : <b@two.example>\r\n"}) {
    const AuthorDomains found = of(from + other + "\r\n");
    EXPECT_EQ(found.fields, 2u) << other;
    EXPECT_THAT(found.domains, ElementsAre("one.example", "two.example")) << other;
  }
  const AuthorDomains stray = of(" From: <b@two.example>\r\n" + from + "\r\n");
  EXPECT_EQ(stray.fields, 2u);
  EXPECT_THAT(stray.domains, ElementsAre("two.example", "one.example"));
  // A line of a folded field is none of its own.
  EXPECT_EQ(of(from + "Subject: x\r\n From: <b@two.example>\r\n\r\n").fields, 1u);
}

TEST(AuthorDomains, AreBoundedAndLinear) {
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "a@d" + std::to_string(i) + ".example, ";
  EXPECT_EQ(of_from(many).domains.size(), max_author_domains);
  // Each of these would be looked through to its end again and again by a reader that forgets.
  EXPECT_THAT(of_from(std::string(60'000, '"') + "\" x@example.org").domains, ElementsAre("example.org"));
  EXPECT_THAT(of_from(std::string(60'000, '(') + "x@example.org").domains, ElementsAre("example.org"));
  std::string brackets;
  for (int i = 0; i < 20'000; ++i) brackets += "<@x";
  EXPECT_THAT(of_from(brackets + ":y@example.org>").domains, ElementsAre("example.org"));
  std::string literals;
  for (int i = 0; i < 20'000; ++i) literals += "@[x";
  EXPECT_TRUE(of_from(literals).has_malformed_domain);
}

}  // namespace
}  // namespace sallyport::mail
