// One form for all ways in which a URL is written.
#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/field_json.h"
#include "gateway/url/percent.h"
#include "tests/unit/url/url_world.h"

namespace sallyport::url {
namespace {

using Pairs = std::vector<std::pair<const char*, const char*>>;

TEST(TopLevelDomains, AreThoseThatExist) {
  for (const char* known : {"com", "COM", "uk", "xn--p1ai", "рф", "zip", "ck", "museum"}) {
    EXPECT_TRUE(suffixes().top.has(known)) << known;
  }
  for (const char* unknown : {"", "c", "co.uk", "html", "local", "example", "127", "e1", "\xff\xff", "."}) {
    EXPECT_FALSE(suffixes().top.has(unknown)) << unknown;
  }
}

TEST(ReadUrl, GivesOneFormForAllWaysToWriteIt) {
  for (const char* written : {"http://www.example.com/a/b?c#d",
                              "HTTP://WWW.Example.Com/a/b?c#d",
                              "http://www.example.com:80/a/b?c#d",
                              "http://www.example.com./a/b?c#d",
                              "http://user:secret@www.example.com/a/b?c#d",
                              "http:www.example.com/a/b?c#d",
                              "http:/www.example.com/a/b?c#d",
                              "http:///www.example.com/a/b?c#d",
                              "http:\\\\www.example.com\\a\\b?c#d",
                              "http:/\\www.example.com/a/b?c#d",
                              "//www.example.com/a/b?c#d",
                              "\\\\www.example.com/a/b?c#d",
                              "  http://www.example.com/a/b?c#d \r\n",
                              "ht\ttp://www.exa\r\nmple.com/a/b?c#d",
                              "hxxp://www.example.com/a/b?c#d",
                              "hXXp://www[.]example[.]com/a/b?c#d",
                              "http://www(dot)example{.}com/a/b?c#d",
                              "hxxp[:]//www[dot]example.com/a/b?c#d",
                              "h**p://www.example.com/a/b?c#d",
                              "hxxp[://]www.example.com/a/b?c#d",
                              "hxxp:/www[.]example[.]com/a/b?c#d",
                              "http:\\/www(dot)example.com/a/b?c#d",
                              "www.example.com/a/b?c#d",
                              "http://www.example.com/a/x/../b?c#d",
                              "http://www.example.com/./a/%2e/b?c#d",
                              "http://www.example.com/a/x/%2E%2e/b?c#d",
                              "http://www.example.com/%61/b?c#d",
                              "http://real.example@www.example.com/a/b?c#d",
                              "http://a@b@www.example.com/a/b?c#d",
                              "http://www.example.com:/a/b?c#d",
                              "http://www%2eexample%2ecom/a/b?c#d",
                              "http://ｗww\u3002exa\u00admple\uff0ecom/a/b?c#d"}) {
    EXPECT_EQ(text_of(written), "http://www.example.com/a/b?c#d") << written;
    EXPECT_EQ(text_of(text_of(written)), text_of(written)) << "and that form stays";
  }
}

// A word in brackets means a dot where the host is: what the path has stays, also behind two slashes.
TEST(ReadUrl, LeavesThePathOfAPlainUrlAsItIs) {
  for (const char* written : {"https://example.com/a(dot)b", "https://example.com//a(dot)b",
                              "https://example.com:8080//a(at)b", "http://example.com/a//b(dot)c"}) {
    EXPECT_EQ(text_of(written), written);
  }
  EXPECT_EQ(text_of("https:/example.com//a(dot)b"), "https://example.com//a(dot)b");
  EXPECT_EQ(text_of("example.com//a(dot)b"), "http://example.com//a(dot)b");
}

TEST(ReadUrl, KeepsWhatIsPartOfIt) {
  for (const auto& [written, text] : Pairs{{"https://example.com", "https://example.com/"},
                                           {"https://example.com:443", "https://example.com/"},
                                           {"https://example.com:8443", "https://example.com:8443/"},
                                           {"http://example.com:443/", "http://example.com:443/"},
                                           {"https://example.com?x=1", "https://example.com/?x=1"},
                                           {"https://example.com#x", "https://example.com/#x"},
                                           {"ftp://example.com:21/a", "ftp://example.com/a"},
                                           {"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},
                                           {"http://3221226219/", "http://192.0.2.235/"},
                                           {"http://example.com/a b", "http://example.com/a%20b"},
                                           {"http://example.com/ä", "http://example.com/%C3%A4"},
                                           {"http://example.com/a%2fb%3F", "http://example.com/a%2Fb%3F"},
                                           {"http://example.com/%zz%4", "http://example.com/%zz%4"},
                                           {"http://example.com/..//../a", "http://example.com/a"},
                                           {"http://example.com/a/..", "http://example.com/"},
                                           {"http://example.com/A?B=C%44", "http://example.com/A?B=CD"},
                                           {"http://example.com/file(s)", "http://example.com/file(s)"},
                                           {"http://localhost/x", "http://localhost/x"},
                                           {"mailto:Ann%40x@Example.COM?subject=hi", "mailto:Ann@x@example.com"},
                                           {"MAILTO:ann@münchen.de", "mailto:ann@xn--mnchen-3ya.de"},
                                           {"ann@example.com", "mailto:ann@example.com"},
                                           {"example.com:8080/x", "http://example.com:8080/x"},
                                           {"192.0.2.7/x", "http://192.0.2.7/x"}}) {
    EXPECT_EQ(text_of(written), text) << written;
  }
}

TEST(ReadUrl, TellsHostAndOwner) {
  const auto url = read_url("https://ann:pw@a.b.example.co.uk:8443/x?y", suffixes());
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "a.b.example.co.uk");
  EXPECT_EQ(url->domain, "example.co.uk");
  EXPECT_EQ(url->owner(), "example.co.uk");
  EXPECT_EQ(url->user, "ann:pw");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path(), "/x?y");
  EXPECT_EQ(url->text.find("pw"), std::string::npos);
  EXPECT_EQ(read_url("http://a!b.-c-.example.com/", suffixes())->domain, "example.com");
  EXPECT_EQ(read_url("http://пример.рф/", suffixes())->domain, "xn--e1afmkfd.xn--p1ai");
  const auto ip = read_url("http://0x7f.1/", suffixes());
  EXPECT_TRUE(ip->is_ip);
  EXPECT_EQ(ip->domain, "");
  EXPECT_EQ(ip->owner(), "127.0.0.1");
}

TEST(ReadUrl, SaysWhatIsUnusual) {
  const auto tricks = [](const char* written) {
    std::string words;
    const auto url = read_url(written, suffixes());
    if (!url) return std::string("none");
    for (const Trick one : url->tricks) words += (words.empty() ? "" : " ") + std::string(word(one));
    return words;
  };
  for (const auto& [written, found] : Pairs{{"http://example.com/", ""},
                                            {"https://example.com:8443/a?b=%20", ""},
                                            {"example.com", "no_scheme"},
                                            {"hxxp://example.com", "defanged"},
                                            {"http://example[.]com", "defanged"},
                                            {"http://a@example.com", "userinfo"},
                                            {"http:\\\\example.com", "slashes"},
                                            {"http:/example.com", "slashes"},
                                            {"http://exam\nple.com", "spaces"},
                                            {"http://exampl%65.com", "encoded"},
                                            {"http://exam\u200bple.com", "invisible"},
                                            {"http://ｅxample.com", "letters"},
                                            {"http://example\u3002com", "letters"},
                                            {"http://1.2.772", "ip"},
                                            {"http://münchen.de", "idn"},
                                            {"http://a!.example.com", "odd_host"}}) {
    EXPECT_EQ(tricks(written), found) << written;
  }
}

TEST(ReadUrl, IsNothingForWhatIsNone) {
  for (const char* none : {"",
                           " ",
                           ":",
                           "/",
                           "//",
                           "http:",
                           "http://",
                           "http:///",
                           "http://?x",
                           "http://#",
                           "javascript:alert(1)",
                           "data:text/html,x",
                           "tel:+1",
                           "foo.html",
                           "/path/x",
                           "index",
                           "a.b",
                           "done.Then",
                           "1.2.3",
                           "12345",
                           "1.2",
                           "http://a b/",
                           "http://[::1",
                           "mailto:",
                           "mailto:ann",
                           "mailto:@example.com",
                           "mailto:ann@localhost",
                           "cid:a@b.example",
                           "x-unknown://example.com/"}) {
    EXPECT_EQ(text_of(none), "") << none;
  }
}

TEST(ReadUrl, HasTwoReadingsOfABackslash) {
  const char* written = "http://a.example.com\\@b.example.net/";
  EXPECT_EQ(read_url(written, suffixes())->host, "a.example.com");
  EXPECT_EQ(read_url(written, suffixes(), Backslash::plain)->host, "b.example.net");
}

TEST(ReadUrl, IsBounded) {
  const std::string octets(100000, '\xe4');
  const auto url = read_url("http://example.com/" + octets, suffixes());
  ASSERT_TRUE(url);
  EXPECT_LE(url->text.size(), max_url_octets);
  EXPECT_TRUE(has(url->tricks, Trick::cut));
  EXPECT_EQ(url->host, "example.com");
}

TEST(ReadUrl, SurvivesItsJson) {
  for (const char* written :
       {"hxxp://a@xn--mnchen-3ya.example.com:81/\u00e4", "mailto:ann@example.com", "http://[::1]/"}) {
    auto url = read_url(written, suffixes());
    ASSERT_TRUE(url);
    const std::string json = FieldWriter::json(*url);
    Url read;
    ASSERT_TRUE(FieldReader::read_json(*JsonValue::parse(json), read));
    EXPECT_EQ(FieldWriter::json(read), json);
  }
}

TEST(Percent, DecodesOnceAndKeepsWhatIsNone) {
  EXPECT_EQ(percent_decoded("a%41%2542%4%zz%"), "aA%42%4%zz%");
  EXPECT_EQ(query_decoded("a+b%2Bc"), "a b+c");
  EXPECT_EQ(percent_normalized("%7e%2f \x01\xc3"), "~%2F%20%01%C3");
}

// With a space before it a URL is never taken for one that is written as its text will be, and is read step by step.
TEST(ReadUrl, TakesNoShortcutThatLeadsElsewhere) {
  constexpr const char* pieces[] = {"https://", "http://", "www.",    "example", ".com", ".co.uk", "/", "/a", "?b=c",
                                    "#d",       "..",      "/.",      "%41",     "[.]",  "(",      "@", ":",  "-",
                                    "_",        "xn--",    "EXAMPLE", "1",       "\\",   "&amp;",  "~x"};
  std::mt19937 random(5);
  std::size_t urls = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string written = random() % 2 == 0 ? "https://www.example" : "http://";
    for (auto n = random() % 8; n > 0; --n) written += pieces[random() % std::size(pieces)];
    const auto quick = read_url(written, suffixes());
    const auto slow = read_url(" " + written, suffixes());
    ASSERT_EQ(quick.has_value(), slow.has_value()) << written;
    if (!quick) continue;
    ++urls;
    EXPECT_EQ(FieldWriter::json(*quick), FieldWriter::json(*slow)) << written;
  }
  EXPECT_GT(urls, 5'000U);
}

}  // namespace
}  // namespace sallyport::url
