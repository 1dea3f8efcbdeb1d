#include "gateway/base/domain_name.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

std::string repeated(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

TEST(DomainName, TakesOrdinaryNames) {
  for (std::string_view name :
       {"example.org", "a", "localhost", "MX-1.Example.COM", "1and1.de", "xn--bcher-kva.example", "a--b.c",
        "_dmarc.example.org", "sel_1._domainkey.example.org", "3.2.1.in-addr.arpa"}) {
    EXPECT_TRUE(is_domain_name(name)) << name;
  }
}

TEST(DomainName, RefusesTheRest) {
  for (std::string_view name : {"", ".", "example.org.", ".example.org", "a..b", "-a.b", "a-.b", "a.-b", "a b",
                                "a.b\r\n", "a@b", "a/b", "*.a", "[1]", "a:b",
                                "b\xc3\xbc"
                                "cher.example"}) {
    EXPECT_FALSE(is_domain_name(name)) << name;
  }
  EXPECT_FALSE(is_domain_name(std::string_view("a\0b", 3)));
}

TEST(DomainName, KeepsTheLengthsOfRfc1035) {
  EXPECT_TRUE(is_domain_name(std::string(63, 'a') + ".org"));
  EXPECT_FALSE(is_domain_name(std::string(64, 'a') + ".org"));
  std::string longest = repeated(std::string(49, 'a') + ".", 5) + "abc";
  ASSERT_EQ(longest.size(), 253u);
  EXPECT_TRUE(is_domain_name(longest));
  EXPECT_FALSE(is_domain_name(longest + "d"));
}

TEST(DomainName, AllowsUnderscoresWhereAsked) {
  EXPECT_TRUE(is_domain_name("a_b.example", true));
  EXPECT_FALSE(is_domain_name("a_b.example", false));
}

TEST(DomainName, AllowsUtf8WhereAsked) {
  EXPECT_TRUE(
      is_domain_name("b\xc3\xbc"
                     "cher.example",
                     true, true));
  EXPECT_FALSE(
      is_domain_name("b\xfc"
                     "cher.example",
                     true, true));
  EXPECT_FALSE(
      is_domain_name("b\xc3.\xbc"
                     "cher",
                     true, true));
  EXPECT_TRUE(is_domain_name("plain.example", true, true));
}

TEST(DomainMatches, NameOrBelowAStar) {
  EXPECT_TRUE(domain_matches("Acme.Example", "acme.example"));
  EXPECT_FALSE(domain_matches("mx.acme.example", "acme.example"));
  EXPECT_TRUE(domain_matches("mx.acme.example", "*.acme.example"));
  EXPECT_TRUE(domain_matches("a.b.ACME.example", "*.acme.EXAMPLE"));
  EXPECT_FALSE(domain_matches("acme.example", "*.acme.example"));
  EXPECT_FALSE(domain_matches("evilacme.example", "*.acme.example"));
  EXPECT_FALSE(domain_matches(".acme.example", "*.acme.example"));
}

}  // namespace
}  // namespace sallyport
