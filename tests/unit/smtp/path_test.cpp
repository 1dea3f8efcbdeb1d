#include "gateway/smtp/path.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;

struct Good {
  std::string text;
  std::string canonical;  // as to_string() gives it
  std::string rest = {};
};

void expect_good(const Good& test, PathKind kind, bool utf8 = false) {
  const auto parsed = parse_path(test.text, kind, utf8);
  ASSERT_TRUE(parsed) << test.text;
  EXPECT_EQ(parsed->path.to_string(), test.canonical) << test.text;
  EXPECT_EQ(parsed->rest, test.rest) << test.text;
  // The canonical form reads back as the same path.
  const auto again = parse_path("<" + test.canonical + ">", kind, utf8);
  ASSERT_TRUE(again) << test.canonical;
  EXPECT_EQ(again->path, parsed->path) << test.canonical;
}

void expect_error(const std::string& text, PathError error, bool utf8 = false) {
  for (const PathKind kind : {PathKind::reverse, PathKind::forward}) {
    const auto parsed = parse_path(text, kind, utf8);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), error) << text;
  }
}

TEST(ParsePath, ReadsMailboxes) {
  const std::vector<Good> cases = {
      {"<ann@example.org>", "ann@example.org"},
      {"<Ann.B+tag@Example.ORG>", "Ann.B+tag@example.org"},  // the local part's case is the receiver's business
      {" <ann@example.org>", "ann@example.org"},             // S27
      {"\t <ann@example.org> SIZE=1", "ann@example.org", " SIZE=1"},
      {"ann@example.org", "ann@example.org"},
      {"  ann@example.org SIZE=1", "ann@example.org", " SIZE=1"},
      {"<ann@example.org>SIZE=1", "ann@example.org", "SIZE=1"},  // glued: an error of the parameters
      {"<ann@example.org>>", "ann@example.org", ">"},
      {"<!#$%&'*+-/=?^_`{|}~@x>", "!#$%&'*+-/=?^_`{|}~@x"},
      {"<ann@my_host.example.org>", "ann@my_host.example.org"},
      {"<ann@_spf.example.org>", "ann@_spf.example.org"},
      {"<ann@org>", "ann@org"},
      {"<ann@123.456>", "ann@123.456"},
      {"<ann@xn--bcher-kva.example>", "ann@xn--bcher-kva.example"},
      // S27: what people have, and servers take.
      {"<kim..lee@x>", "kim..lee@x"},
      {"<.kim.@x>", ".kim.@x"},
      {"<...@x>", "...@x"},
      {"kim.@x SIZE=1", "kim.@x", " SIZE=1"},
      {"< ann@x>", "ann@x"},
      {"<ann@x >", "ann@x"},
      {" < \t ann@x\t > SIZE=1", "ann@x", " SIZE=1"},
      {"< @a.example:ann@x >", "ann@x"},
      {"<ann@Example.org.>", "ann@example.org"},
      {"ann@example.org. SIZE=1", "ann@example.org", " SIZE=1"},
      {"<@a.example.:ann@x.>", "ann@x"},
  };
  for (const Good& test : cases) {
    expect_good(test, PathKind::reverse);
    expect_good(test, PathKind::forward);
  }
}

// S23
TEST(ParsePath, DropsSourceRoutes) {
  for (const char* text : {"<@a.example:ann@x>", "<@a.example,@b.example:ann@x>", "<@A,@B,@C:ann@X>"})
    expect_good({text, "ann@x"}, PathKind::forward);
  for (const char* text : {"<@a.example>", "<@a.example:>", "<@:ann@x>", "<@a,b:ann@x>", "<@a,,@b:ann@x>",
                           "<@a@b:ann@x>", "@a:ann@x", "<@[192.0.2.1]:ann@x>", "<@a:@b:ann@x>"})
    EXPECT_FALSE(parse_path(text, PathKind::forward, false)) << text;
}

TEST(ParsePath, TellsARouteInALocalPart) {
  const auto routing = [](const char* text) {
    return parse_path(text, PathKind::forward, false)->path.has_routing_local();
  };
  EXPECT_TRUE(routing("<ann%other.example@x>"));
  EXPECT_TRUE(routing("<other.example!ann@x>"));
  EXPECT_TRUE(routing("<\"ann@other.example\"@x>"));
  EXPECT_TRUE(routing("<\"a\\!b\"@x>"));
  EXPECT_FALSE(routing("<ann+tag@x>"));
  EXPECT_FALSE(parse_path("<ann@other.example@x>", PathKind::forward, false));
}

// S24
TEST(ParsePath, BringsQuotingIntoOneForm) {
  const std::vector<Good> cases = {
      {R"(<"a"@x>)", "a@x"},
      {R"(<"\a\b"@x>)", "ab@x"},
      {R"(<"a.b"@x>)", "a.b@x"},
      {R"(<"a b"@x>)", R"("a b"@x)"},
      {R"(<"a\ b"@x>)", R"("a b"@x)"},
      {R"(<"a..b"@x>)", "a..b@x"},
      {R"(<".a"@x>)", ".a@x"},
      {R"(<"a\"b"@x>)", R"("a\"b"@x)"},
      {R"(<"a\\b"@x>)", R"("a\\b"@x)"},
      {R"(<"a@b"@x>)", R"("a@b"@x)"},
      {R"(<"a>b"@x> SIZE=1)", R"("a>b"@x)", " SIZE=1"},
      {R"("a b"@x SIZE=1)", R"("a b"@x)", " SIZE=1"},
      {R"(<""@x>)", R"(""@x)"},
  };
  for (const Good& test : cases) expect_good(test, PathKind::forward);
  EXPECT_EQ(parse_path(R"(<"a"@x>)", PathKind::forward, false)->path,
            parse_path("<a@X>", PathKind::forward, false)->path);
}

TEST(ParsePath, RefusesBadSyntax) {
  for (const std::string& text :
       {""s,         " "s,        "<"s,        ">"s,          "<@x"s,        "<ann@x"s,
        "ann@x>"s,   "<ann @x>"s, "< ann@x"s,  "<ann@x y>"s,  "<. a@x>"s,    "<@a.example: ann@x>"s,
        "<a b@x>"s,  "<a(b)@x>"s, "<a@x,b>"s,  "<\"a\"b@x>"s, "<a\"b\"@x>"s, "<\"a\".b@x>"s,
        "<a\0b@x>"s, "<\x01@x>"s, "<a\\b@x>"s, "<<a@x>>"s,    "<ann@x:y>"s})
    expect_error(text, PathError::syntax);
}

TEST(ParsePath, SaysWhatIsWrong) {
  const std::vector<std::pair<PathError, std::vector<std::string>>> cases = {
      {PathError::no_domain, {"<ann>", "ann", "<ann@>", "ann@", "<ann@ x>", "<\"a b\">", "<ann >", "<@:ann@x>", "<@>"}},
      {PathError::empty_label,
       {"<ann@x..example>", "<ann@.example>", "<ann@example..>", "<ann@.>", "<ann@..>", "ann@..x", "<@a..b:ann@x>",
        "<ann@...................example>"}},
      {PathError::bad_domain,
       {"<a@(b)x>", "<a@-x>", "<a@x->", "<a@xn--->", "<a@x/y>", "<a@x\0>"s, "<a@x\r\n>", "<a@b@c>", "<a@x.-.>"}},
      {PathError::bad_quotes,
       {"<\"a@x>", "<\"a\\\"@x>", "<\"a\tb\"@x>", "<\"a\\\tb\"@x>", "<\"a\0b\"@x>"s, "<\"\x7f\"@x>"}},
  };
  for (const auto& [error, texts] : cases) {
    for (const std::string& text : texts) expect_error(text, error);
  }
}

// S25
TEST(ParsePath, ReadsAddressLiterals) {
  const std::vector<Good> cases = {
      {"<a@[192.0.2.1]>", "a@[192.0.2.1]"},
      {"<a@[IPv6:2001:DB8::1]>", "a@[IPv6:2001:db8::1]"},
      {"<a@[ipv6:2001:db8:0:0:0:0:0:1]>", "a@[IPv6:2001:db8::1]"},
      {"<a@[IPv6:::ffff:192.0.2.1]>", "a@[192.0.2.1]"},  // one address, one form
      {"a@[192.0.2.1] SIZE=1", "a@[192.0.2.1]", " SIZE=1"},
  };
  for (const Good& test : cases) {
    expect_good(test, PathKind::reverse);
    EXPECT_TRUE(parse_path(test.text, PathKind::reverse, false)->path.is_literal());
  }
  for (const char* text : {"<a@[]>", "<a@[192.0.2]>", "<a@[192.0.2.256]>", "<a@[192.0.2.1>", "<a@[2001:db8::1]>",
                           "<a@[IPv6:192.0.2.1]>", "<a@[IPv6:]>", "<a@[IPv6:2001:db8::g]>", "<a@[IPv6:1::2::3]>",
                           "<a@[tag:x]>", "<a@[x]>", "<a@[ 192.0.2.1]>", "<a@[192.0.2.1 ]>", "<a@[IPv6:fe80::1%eth0]>"})
    expect_error(text, PathError::bad_literal);
  expect_error("<a@x[192.0.2.1]>", PathError::bad_domain);
  expect_error("<a@[192.0.2.1]x>", PathError::syntax);
}

// S26
TEST(ParsePath, KeepsTheLimits) {
  const std::string label(63, 'a');
  expect_good({"<ann@" + label + ".example>", "ann@" + label + ".example"}, PathKind::forward);
  expect_error("<ann@" + label + "a.example>", PathError::label_too_long);

  const std::string local(190, 'l');  // over 64, as VERP and SRS make them
  expect_good({"<" + local + "@example.org>", local + "@example.org"}, PathKind::reverse);

  const std::string most = std::string(256 - 3 - 11, 'l') + "@example.org";  // 256 octets with < and >
  ASSERT_EQ(most.size(), 254U);
  expect_good({"<" + most + ">", most}, PathKind::forward);
  expect_good({most, most}, PathKind::forward);
  expect_good({"<  " + most + "   >", most}, PathKind::forward);  // blanks are not counted
  expect_error("<l" + most + ">", PathError::too_long);
  expect_error("l" + most, PathError::too_long);
  expect_error("<ann@" + label + "." + label + "." + label + "." + label + ".org>", PathError::domain_too_long);
  EXPECT_EQ(
      parse_path("<@" + label + "." + label + ":" + std::string(130, 'l') + "@example.org>", PathKind::forward, false)
          .error(),
      PathError::too_long);
}

TEST(ParsePath, ReadsTheNullPathAsASenderOnly) {
  const auto null = parse_path("<> SIZE=1", PathKind::reverse, false);
  ASSERT_TRUE(null);
  EXPECT_TRUE(null->path.is_null());
  EXPECT_EQ(null->path.to_string(), "");
  EXPECT_EQ(null->rest, " SIZE=1");
  EXPECT_FALSE(parse_path("<>", PathKind::forward, false));
  const auto spaced = parse_path("< \t> SIZE=1", PathKind::reverse, false);
  ASSERT_TRUE(spaced);
  EXPECT_TRUE(spaced->path.is_null());
  EXPECT_EQ(spaced->rest, " SIZE=1");
  EXPECT_FALSE(parse_path("< >", PathKind::forward, false));
}

TEST(ParsePath, ReadsPostmasterAsARecipientOnly) {
  for (const char* text :
       {"<postmaster>", "<Postmaster>", "POSTMASTER", "<\"postmaster\">", "<PostMaster@example.org>"}) {
    const auto parsed = parse_path(text, PathKind::forward, false);
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(parsed->path.is_postmaster()) << text;
  }
  EXPECT_EQ(parse_path("<PostMaster>", PathKind::forward, false)->path.to_string(), "PostMaster");
  EXPECT_FALSE(parse_path("<postmaster>", PathKind::reverse, false));
  EXPECT_FALSE(parse_path("<postmaster@x>", PathKind::forward, false)->path.is_null());
  EXPECT_FALSE(parse_path("<ann@x>", PathKind::forward, false)->path.is_postmaster());
}

// S11
TEST(ParsePath, TakesUtf8WhenAskedFor) {
  for (const char* text : {"<j\xc3\xb6rg@example.org>",
                           "<ann@b\xc3\xbc"
                           "cher.example>",
                           "<\"j\xc3\xb6 g\"@x>", "j\xc3\xb6rg@example.org",
                           "<@b\xc3\xbc"
                           "cher.example:ann@x>"})
    expect_error(text, PathError::needs_utf8, false);
  expect_good({"<j\xc3\xb6rg@B\xc3\xbc"
               "cher.Example>",
               "j\xc3\xb6rg@b\xc3\xbc"
               "cher.example"},
              PathKind::forward, true);
  expect_good({"<\"j\xc3\xb6 g\"@x>", "\"j\xc3\xb6 g\"@x"}, PathKind::forward, true);
  EXPECT_TRUE(parse_path("<j\xc3\xb6rg@x>", PathKind::forward, true)->path.needs_utf8());
  EXPECT_TRUE(parse_path("<a@b\xc3\xbc>", PathKind::forward, true)->path.needs_utf8());
  EXPECT_FALSE(parse_path("<ann@x>", PathKind::forward, true)->path.needs_utf8());
  for (const char* text : {"<j\xf6rg@x>",
                           "<ann@b\xfc"
                           "cher.example>",
                           "<\"\xc3\"@x>", "<\xed\xa0\x80@x>", "<\xc0\xaf@x>"})
    expect_error(text, PathError::bad_utf8, true);
}

TEST(ParseDomain, GivesTheCanonicalForm) {
  EXPECT_EQ(*parse_domain("Mail.Example.ORG", false), "mail.example.org");
  EXPECT_EQ(*parse_domain("[192.0.2.1]", false), "[192.0.2.1]");
  EXPECT_EQ(*parse_domain("[IPv6:2001:DB8::1]", false), "[IPv6:2001:db8::1]");
  EXPECT_EQ(*parse_domain("Example.org.", false), "example.org");
  const std::string longest =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(61, 'd');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_EQ(*parse_domain(longest + ".", false), longest);
  EXPECT_EQ(parse_domain("", false).error(), PathError::no_domain);
  EXPECT_EQ(parse_domain("[", false).error(), PathError::bad_literal);
  EXPECT_EQ(parse_domain("[x", false).error(), PathError::bad_literal);
  EXPECT_EQ(parse_domain("a b", false).error(), PathError::bad_domain);
  EXPECT_EQ(parse_domain("example.org..", false).error(), PathError::empty_label);
  EXPECT_EQ(parse_domain("b\xc3\xbc.example", false).error(), PathError::needs_utf8);
  EXPECT_EQ(parse_domain("b\xfc.example", true).error(), PathError::bad_utf8);
  EXPECT_EQ(*parse_domain("b\xc3\xbc.example", true), "b\xc3\xbc.example");
}

}  // namespace
}  // namespace sallyport::smtp
