// Macros of SPF records: their syntax, and what they stand for.
#include <gtest/gtest.h>

#include <string>

#include "policies/spf/macro.h"

namespace sallyport::policies::spf {
namespace {

// RFC 7208, 7.4.
MacroValues example(const char* ip = "192.0.2.3") {
  MacroValues values;
  values.local = "strong-bad";
  values.sender_domain = "email.example.com";
  values.domain = "email.example.com";
  values.helo = "mx.example.org";
  values.validated = "mx.example.org";
  values.receiver = "mx.example.net";
  values.ip = *IpAddress::parse(ip);
  values.now = WallTime(std::chrono::seconds(1'700'000'000));
  return values;
}

struct Vector {
  const char* macro;
  const char* gives;
};

TEST(SpfMacro, ExpandsTheVectorsOfTheRfc) {
  constexpr Vector vectors[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_TRUE(is_domain_spec(vector.macro)) << vector.macro;
    EXPECT_EQ(expand_text(vector.macro, example(), 400), vector.gives) << vector.macro;
  }
  EXPECT_EQ(expand_name("%{ir}.%{v}._spf.%{d2}", example("2001:db8::cb01")),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

TEST(SpfMacro, ExpandsWhatOnlyExplanationsHave) {
  EXPECT_EQ(expand_text("%{c} %{r} %{t} at%_%{h}", example(), 400),
            "192.0.2.3 mx.example.net 1700000000 at mx.example.org");
  EXPECT_EQ(expand_text("%{c} is %{i}", example("2001:db8::1"), 400),
            "2001:db8::1 is 2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1");
  for (const char* letter : {"%{c}", "%{r}", "%{t}", "a b.example.org"}) {
    EXPECT_TRUE(is_macro_string(letter, MacroUse::explanation)) << letter;
    EXPECT_FALSE(is_macro_string(letter, MacroUse::name)) << letter;
  }
}

TEST(SpfMacro, TakesAMappedAddressAsIpv4) {
  EXPECT_EQ(expand_name("%{ir}.%{v}.arpa", example("::ffff:192.0.2.3")), "3.2.0.192.in-addr.arpa");
}

TEST(SpfMacro, TransformsTheWayItIsWritten) {
  MacroValues values = example();
  values.local = "philip-gladstone+test..x";
  EXPECT_EQ(expand_text("%{l}", values, 400), "philip-gladstone+test..x");     // nothing asked for, nothing done
  EXPECT_EQ(expand_text("%{lr+-}", values, 400), "test..x.gladstone.philip");  // the dots are no delimiters here
  EXPECT_EQ(expand_text("%{lr}", values, 400), "x..philip-gladstone+test");    // an empty part stays one
  EXPECT_EQ(expand_text("%{l2}", values, 400), ".x");
  EXPECT_EQ(expand_text("%{l3}", values, 400), "philip-gladstone+test..x");
  EXPECT_EQ(expand_text("%{l127r}", values, 400), "x..philip-gladstone+test");
  EXPECT_EQ(expand_text("%{l99999999999999999999}", values, 400), "philip-gladstone+test..x");
}

TEST(SpfMacro, EscapesForUrlsWhereTheLetterIsUpperCase) {
  MacroValues values = example();
  values.local = "~jack&jill=up-a_b3.c \xc3\xa9";
  EXPECT_EQ(expand_text("http://example.com/?l=%{L}", values, 400),
            "http://example.com/?l=~jack%26jill%3Dup-a_b3.c%20%C3%A9");
  EXPECT_EQ(expand_text("%{D2}", values, 400), "example.com");
}

TEST(SpfMacro, ExpandsThePlainEscapes) {
  EXPECT_EQ(expand_name("macro%%percent%_%_space%-url.Example.com", example()),
            "macro%percent  space%20url.example.com");
}

TEST(SpfMacro, RefusesWhatIsNoMacro) {
  for (const char* text : {"%", "%a", "%(d)", "x%", "%{", "%{d", "%{}", "%{1}", "%{d0}", "%{d00}", "%{dx}", "%{d r}",
                           "%{dr2}", "%{d.r}", "%{a}.example.org", "%{d!}", "tab\there.example.org"}) {
    EXPECT_FALSE(is_macro_string(text, MacroUse::explanation) && is_macro_string(text, MacroUse::name)) << text;
  }
  EXPECT_FALSE(is_macro_string(std::string_view("a\0b.example.org", 15), MacroUse::name));
  EXPECT_FALSE(is_macro_string("caf\xc3\xa9.example.org", MacroUse::explanation));
}

TEST(SpfMacro, KnowsADomainSpecByItsEnd) {
  for (const char* text :
       {"example.org", "example.org.", "%{d}", "foo:bar/baz.example.com", "a.%{d2}", "example.xn--zckzah", "example.a1",
        "x.1a", "100%%", "_spf.%{ir}.%{v}._spf.%{d2}.", "%{d}.com", "..com"}) {
    const bool ends_in_dot_after_macro = std::string_view(text) == "_spf.%{ir}.%{v}._spf.%{d2}.";
    EXPECT_EQ(is_domain_spec(text), !ends_in_dot_after_macro) << text;
  }
  for (const char* text : {"", "museum", "museum.", "111.222.33.44", "abc.123", "example.-com", "example.com-",
                           "example.c_m", "%{d}com", "example.com:8080", "example..", "%{d}/", "a b.org"}) {
    EXPECT_FALSE(is_domain_spec(text)) << text;
  }
}

TEST(SpfMacro, TrimsLongNamesByLabelsFromTheLeft) {
  MacroValues values = example();
  const std::string long_name = "somewhat.long.exp.example.com";
  values.sender_domain = long_name;
  std::string expected;
  for (int i = 0; i < 8; ++i) expected += long_name + ".";
  expected += "example.com";
  const auto name = expand_name("foobar.%{o}.%{o}.%{o}.%{o}.%{o}.%{o}.%{o}.%{o}.example.com.", values);
  EXPECT_EQ(name, expected);
  EXPECT_LE(name->size(), 253u);
}

TEST(SpfMacro, TrimsToExactly253Octets) {
  const std::string label(61, 'a');
  const std::string name = "bb." + label + "." + label + "." + label + "." + label + ".de";
  ASSERT_EQ(name.size(), 253u);
  EXPECT_EQ(expand_name(name, example()), name);
  EXPECT_EQ(expand_name(name + ".", example()), name);
  EXPECT_EQ(expand_name("c" + name, example()), name.substr(3));
  EXPECT_EQ(expand_name("c." + name, example()), name);
}

TEST(SpfMacro, KeepsOnlyTheEndOfWhatRepeatsWithoutEnd) {
  MacroValues values = example();
  const std::string long_local(250, 'x');
  values.local = long_local;
  std::string spec;
  for (int i = 0; i < 500; ++i) spec += "%{S}.";
  // What is cut is never half a label: "...x%40email" at the left edge goes as a whole.
  EXPECT_EQ(expand_name(spec + "%{d}", values), "example.com.email.example.com");
  values.local = "x";
  const auto name = expand_name(spec + "%{d}", values);
  ASSERT_TRUE(name);
  EXPECT_GT(name->size(), 253u - 64u);
  EXPECT_LE(name->size(), 253u);
  EXPECT_TRUE(name->ends_with("x%40email.example.com.email.example.com"));
  EXPECT_EQ(expand_text(spec, values, 400).size(), 400u);
}

TEST(SpfMacro, GivesNoNameThatCannotBeAskedFor) {
  MacroValues values = example();
  values.helo = "a..b";
  EXPECT_EQ(expand_name("%{h}", values), std::nullopt);
  const std::string long_label = std::string(64, 'a') + ".example.org";
  values.helo = long_label;
  EXPECT_EQ(expand_name("%{h}", values), std::nullopt);
  values.helo = "";
  EXPECT_EQ(expand_name("%{h}", values), std::nullopt);
  EXPECT_EQ(expand_name("%{h}.example.org", values), std::nullopt);
  values.helo = "JUMPIN' JUPITER";
  EXPECT_EQ(expand_name("%{h}", values), "jumpin' jupiter");
}

TEST(SpfMacro, KnowsWhichLettersAreUsed) {
  EXPECT_TRUE(uses_macro("a.%{P}.example.org", "p"));
  EXPECT_TRUE(uses_macro("%{d}%{l1r-}", "sl"));
  EXPECT_FALSE(uses_macro("spl.%%{p.example.org", "spl"));
}

}  // namespace
}  // namespace sallyport::policies::spf
