// SPF records: what is one, and what is wrong with one.
#include <gtest/gtest.h>

#include <string>

#include "policies/spf/record.h"

namespace sallyport::policies::spf {
namespace {

TEST(SpfRecord, IsKnownByItsVersion) {
  for (const char* text : {"v=spf1", "V=SpF1", "v=spf1 -all", "v=spf1 "}) EXPECT_TRUE(is_spf_record(text)) << text;
  for (const char* text :
       {"", "v=spf", "v=spf10 -all", "v=spf1-all", "v=spf1\t-all", " v=spf1 -all", "v=spf2.0/pra -all"}) {
    EXPECT_FALSE(is_spf_record(text)) << text;
  }
}

TEST(SpfRecord, HasItsTermsInOrder) {
  const std::string text =
      "v=spf1  +A mx:foo.example.com/24//64 -ip4:192.0.2.0/24 ~IP6:2001:db8::/32 ?include:_spf.example.org ptr "
      "exists:%{ir}.example.org exp=why.%{d} Moo=%{c} -ALL ";
  const auto record = parse_record(text);
  ASSERT_TRUE(record) << record.error().message;
  ASSERT_EQ(record->terms.size(), 8u);
  const auto& terms = record->terms;
  EXPECT_EQ(terms[0].mechanism, Mechanism::a);
  EXPECT_EQ(terms[0].result, AuthResult::pass);
  EXPECT_EQ(terms[0].text, "+A");
  EXPECT_EQ(terms[0].target, "");
  EXPECT_EQ(terms[0].ip4_bits, 32);
  EXPECT_EQ(terms[0].ip6_bits, 128);
  EXPECT_EQ(terms[1].mechanism, Mechanism::mx);
  EXPECT_EQ(terms[1].target, "foo.example.com");
  EXPECT_EQ(terms[1].ip4_bits, 24);
  EXPECT_EQ(terms[1].ip6_bits, 64);
  EXPECT_EQ(terms[2].mechanism, Mechanism::ip4);
  EXPECT_EQ(terms[2].result, AuthResult::fail);
  EXPECT_EQ(terms[3].mechanism, Mechanism::ip6);
  EXPECT_EQ(terms[3].result, AuthResult::softfail);
  EXPECT_EQ(terms[4].mechanism, Mechanism::include);
  EXPECT_EQ(terms[4].result, AuthResult::neutral);
  EXPECT_EQ(terms[4].target, "_spf.example.org");
  EXPECT_EQ(terms[5].mechanism, Mechanism::ptr);
  EXPECT_EQ(terms[6].mechanism, Mechanism::exists);
  EXPECT_EQ(terms[7].mechanism, Mechanism::all);
  EXPECT_EQ(terms[7].text, "-ALL");
  EXPECT_TRUE(record->has_all);
  EXPECT_EQ(record->explanation, "why.%{d}");
  EXPECT_EQ(record->redirect, "");
}

TEST(SpfRecord, MayBeEmptyOrHaveModifiersAnywhere) {
  EXPECT_TRUE(parse_record("v=spf1")->terms.empty());
  EXPECT_TRUE(parse_record("v=spf1   ")->terms.empty());
  const auto record = parse_record("v=spf1 REDIRECT=a.example.org mx default=pass x-1_2.3= ip4=192.0.2.1 v=spf1");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->redirect, "a.example.org");
  EXPECT_EQ(record->terms.size(), 1u);
  EXPECT_FALSE(record->has_all);
}

TEST(SpfRecord, TakesSlashesAndColonsInNames) {
  const auto record = parse_record("v=spf1 a:foo:bar/baz.example.com mx:a/24.example.com//0 a//64 mx/0 a:%{d}/16");
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->terms[0].target, "foo:bar/baz.example.com");
  EXPECT_EQ(record->terms[1].target, "a/24.example.com");
  EXPECT_EQ(record->terms[1].ip6_bits, 0);
  EXPECT_EQ(record->terms[2].ip4_bits, 32);
  EXPECT_EQ(record->terms[2].ip6_bits, 64);
  EXPECT_EQ(record->terms[3].ip4_bits, 0);
  EXPECT_EQ(record->terms[4].target, "%{d}");
  EXPECT_EQ(record->terms[4].ip4_bits, 16);
}

TEST(SpfRecord, IsRefusedAsAWholeForAnyTerm) {
  for (const char* term : {"all.",
                           "all:x",
                           "all/8",
                           "all:example.org",
                           "-",
                           "+-all",
                           "- all",
                           "foo",
                           "include",
                           "include:",
                           "include/24",
                           "include:ip5.example.com/24",
                           "redirect:x.example.org",
                           "a:",
                           "a:museum",
                           "a:museum.",
                           "a:111.222.33.44",
                           "a:abc.123",
                           "a:example.-com",
                           "a/24/64",
                           "a/33",
                           "a//129",
                           "a/032",
                           "a//00",
                           "a/",
                           "a//",
                           "a:/24",
                           "a/24//",
                           "a:example.com:8080",
                           "a:example.com/24/24",
                           "mx:",
                           "mx/33",
                           "mx//129",
                           "mx:example.-com",
                           "ptr:",
                           "ptr/0",
                           "ptr:example.org/24",
                           "exists",
                           "exists:",
                           "exists:mail.example.org/24",
                           "ip4",
                           "ip4:",
                           "ip4:1.2.3",
                           "ip4:1.2.3.4:8080",
                           "ip4:1.2.3.4//32",
                           "ip4:1.2.3.4/33",
                           "ip4:1.2.3.4/032",
                           "ip4:1.2.3.4/",
                           "ip4:01.2.3.4",
                           "ip4:1.2.3.4/32/32",
                           "ip4:::1",
                           "ip4/24",

                           "ip6",
                           "ip6:",
                           "ip6:1.2.3.4",
                           "ip6:1:2:3",
                           "ip6:2001:db8::/129",
                           "ip6:2001:db8::%25eth0",
                           "ip6:2001:db8::/-1",
                           "=x",
                           "1up=foo",
                           "-redirect=a.example.org",
                           "redirect=",
                           "redirect=-all",
                           "exp=",
                           "exp=-all",
                           "exp=museum",
                           "moo=%a",
                           "moo=%{x}",
                           "a:%{c}.example.org",
                           "exists:%(ir).example.org",
                           "exists:foo%.example.org",
                           "a:%{a}.example.org",
                           "exp=%{r}.example.org",
                           "exp=a.example.org exp=b.example.org",
                           "redirect=a.example.org redirect=a.example.org",

                           "spf1"}) {
    const std::string before = std::string("v=spf1 ") + term + " -all";
    const std::string after = std::string("v=spf1 +all ") + term;
    EXPECT_FALSE(parse_record(before)) << before;
    EXPECT_FALSE(parse_record(after)) << after;
  }
}

TEST(SpfRecord, IsVisibleAsciiBetweenSpaces) {
  for (const char* text : {"v=spf1 a\t-all", "v=spf1 a\r\n-all", "v=spf1 a:\xef\xbb\xbfgarbage.example.net -all",
                           "v=spf1 \x80"
                           "a -all",
                           "v=spf1 -all\x7f"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
  EXPECT_FALSE(parse_record(std::string_view("v=spf1 a:foo.example.com\0", 25)));
}

TEST(SpfRecord, HasAtMost16KiB) {
  std::string text = "v=spf1 -all";
  text.append(16384 - text.size(), ' ');
  EXPECT_TRUE(parse_record(text));
  EXPECT_FALSE(parse_record(text + ' '));
}

TEST(SpfRecord, SaysWhatIsWrongInPrintableWords) {
  EXPECT_EQ(parse_record("v=spf1 foo -all").error().message, "unknown mechanism: foo");
  EXPECT_EQ(parse_record("v=spf1 a:111.222.33.44").error().message, "bad mechanism: a:111.222.33.44");
  EXPECT_EQ(parse_record("v=spf1 exp= -all").error().message, "not a domain: exp=");
  EXPECT_LE(parse_record("v=spf1 " + std::string(4000, 'x')).error().message.size(), 110u);
}

TEST(SpfRecord, ComparesNetworksByTheirBits) {
  struct Case {
    const char* term;
    const char* client;
    bool matches;
  };
  constexpr Case cases[] = {
      {"ip4:192.0.2.0/24", "192.0.2.255", true},
      {"ip4:192.0.2.77/24", "192.0.2.1", true},  // bits past the prefix are no mistake
      {"ip4:192.0.2.0/24", "192.0.3.0", false},
      {"ip4:192.0.2.128/25", "192.0.2.127", false},
      {"ip4:192.0.2.128/25", "192.0.2.128", true},
      {"ip4:192.0.2.1", "192.0.2.1", true},
      {"ip4:192.0.2.1", "192.0.2.2", false},
      {"ip4:0.0.0.0/0", "203.0.113.1", true},
      {"ip4:0.0.0.0/0", "2001:db8::1", false},
      {"ip4:192.0.2.1", "::ffff:192.0.2.1", true},
      {"ip6:2001:db8::/33", "2001:db8:7fff::1", true},
      {"ip6:2001:db8::/33", "2001:db8:8000::1", false},
      {"ip6:::/0", "2001:db8::1", true},
      {"ip6:::/0", "192.0.2.1", false},
      {"ip6:::/0", "::ffff:192.0.2.1", false},
      {"ip6:::ffff:192.0.2.1", "192.0.2.1", false},
      {"ip6:::ffff:0:0/80", "::1", true},
      {"ip6:2001:db8::192.0.2.1", "2001:db8::c000:201", true},
  };
  for (const Case& one : cases) {
    const std::string text = std::string("v=spf1 ") + one.term;
    const auto record = parse_record(text);
    ASSERT_TRUE(record) << one.term;
    EXPECT_EQ(record->terms[0].network_contains(*IpAddress::parse(one.client)), one.matches) << one.term << one.client;
  }
}

}  // namespace
}  // namespace sallyport::policies::spf
