// Which URLs stand in a text, whatever stands around them.
#include "gateway/url/scanner.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/url/url_world.h"

namespace sallyport::url {
namespace {

std::vector<std::string> found_in(std::string_view text) {
  std::vector<std::string> found;
  scan_for_urls(text, suffixes().top, [&found](std::string_view written) {
    found.emplace_back(written);
    return true;
  });
  return found;
}

using Strings = std::vector<std::string>;

TEST(Scanner, FindsUrlsAndNothingOfTheSentenceAroundThem) {
  for (const auto& [text, found] : std::vector<std::pair<const char*, Strings>>{
           {"see http://example.com/a.", {"http://example.com/a"}},
           {"(http://example.com/a)", {"http://example.com/a"}},
           {"http://example.com/a_(b)", {"http://example.com/a_(b)"}},
           {"(see http://example.com/a_(b)).", {"http://example.com/a_(b)"}},
           {"[http://example.com/a]", {"http://example.com/a"}},
           {"\"http://example.com/a\"", {"http://example.com/a"}},
           {"'http://example.com/a'", {"http://example.com/a"}},
           {"<http://example.com/a>", {"http://example.com/a"}},
           {"<a href=http://example.com/a>", {"http://example.com/a"}},
           {"URL:http://example.com/a", {"http://example.com/a"}},
           {"xhttp://example.com/a", {"http://example.com/a"}},
           {"HTTPS://EXAMPLE.COM!", {"HTTPS://EXAMPLE.COM"}},
           {"http:\\\\example.com\\a", {"http:\\\\example.com\\a"}},
           {"https:/example.com", {"https:/example.com"}},
           {"http://example.com/a,http://example.net/b", {"http://example.com/a", "http://example.net/b"}},
           {"http://example.com/?u=http://example.net/b",
            {"http://example.com/?u=http://example.net/b", "http://example.net/b"}},
           {"“http://example.com/a”", {"http://example.com/a"}},
           {"http://example.com/a\u3000b", {"http://example.com/a"}},
           {"http://example.com/a\u00a0b", {"http://example.com/a"}},
           {"请访问http://example.com/a。", {"http://example.com/a"}},
           {"**http://example.com/a**", {"http://example.com/a"}},
           {"|http://example.com|", {"http://example.com"}},
           {"ftp://example.com/a", {"ftp://example.com/a"}},
           {"a\thttp://example.com/a\r\nb", {"http://example.com/a"}},
           {"mailto:ann@example.com", {"ann@example.com"}}}) {
    EXPECT_EQ(found_in(text), found) << text;
  }
}

// Texts are read by blocks; where one ends is nothing to a URL.
TEST(Scanner, FindsThemAtAnyPlace) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (const char filling : {' ', 'x', '\n'}) {
      const std::string around = std::string(before, filling) + (filling == 'x' ? " " : "");
      for (const char* url : {"http://example.com/a", "ann@example.com", "example.com", "http://пример.рф/"}) {
        EXPECT_EQ(found_in(around + url + "\n" + around), Strings{url}) << before;
        EXPECT_EQ(found_in(around + url), Strings{url}) << before;
      }
    }
  }
}

TEST(Scanner, FindsDefangedForms) {
  for (const char* text :
       {"hxxp://example.com/a", "hXXp://example[.]com/a", "http[:]//example[.]com/a", "http://example(.)com/a",
        "(hxxp://example[dot]com/a)", "http://example{dot}com/a", "h**p://example.com/a", "meow://example.com/a",
        "hxxp[://]example[.]com[/]a", "see:hxtp://example(DOT)com/a."}) {
    const Strings found = found_in(text);
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_EQ(text_of(found.front()), "http://example.com/a") << text;
  }
  EXPECT_EQ(found_in("ann[at]example[.]com"), Strings{"ann@example.com"});
  EXPECT_EQ(found_in("example[.]com"), Strings{"example.com"});
}

// Brackets around brackets have one normal form, too.
TEST(Scanner, FindsDefangedFormsWithinEachOther) {
  for (const char* text : {"hxxp://a([.])example.com", "a([.])example.com", "a[(.)]example{[.]}com",
                           "http([:])//a.example.com", "http[:[//]]a([dot])example.com"}) {
    const Strings found = found_in(text);
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_EQ(text_of(found.front()), "http://a.example.com/") << text;
  }
  for (const char* text : {"http://a(:[/]/)b.example.com/", "http://a([.).]b.com", "http://a((.)b.com/c[.]d"}) {
    const std::string once = text_of(text);
    if (!once.empty()) EXPECT_EQ(text_of(once), once) << text;
  }
}

// A share that Windows opens, and schemes that are no web's.
TEST(Scanner, FindsNamesBehindTwoSlashes) {
  for (const char* text :
       {"\\\\example.com\\share", "//example.com/share", "file://example.com/share", "file:////example.com/share",
        "smb://example.com/share", "search-ms:query=x&crumb=location:\\\\example.com\\share"}) {
    const Strings found = found_in(text);
    ASSERT_EQ(found.size(), 1U) << text;
    EXPECT_EQ(text_of(found.front()), "http://example.com/share") << text;
  }
  for (const char* text : {"/a/example.com", "a//example.com", "./example.com", "C:\\dir\\example.com"})
    EXPECT_EQ(found_in(text), Strings()) << text;
}

TEST(Scanner, FindsNamesWithoutAScheme) {
  for (const auto& [text, found] : std::vector<std::pair<const char*, Strings>>{
           {"go to www.example.com now", {"www.example.com"}},
           {"go to example.com.", {"example.com"}},
           {"example.co.uk/a?b", {"example.co.uk/a?b"}},
           {"example.com:8080/a", {"example.com:8080/a"}},
           {"(example.com)", {"example.com"}},
           {"example.com,example.net", {"example.com", "example.net"}},
           {"site=example.com;", {"example.com"}},
           {"пример.рф", {"пример.рф"}},
           {"münchen.de/a", {"münchen.de/a"}},
           {"example\u3002com", {"example\u3002com"}},
           {"ex\u00adample.com", {"ex\u00adample.com"}},
           {"请访问example.com/a", {"请访问example.com/a", "example.com/a"}},
           {"访问example.com查看", {"example.com"}},
           {"192.0.2.1/a", {"192.0.2.1/a"}},
           {"ann@example.com", {"ann@example.com"}},
           {"Ann<ann.b@example.com>,bob@example.net", {"ann.b@example.com", "bob@example.net"}},
           {"to:ann@example.com.", {"ann@example.com"}}}) {
    EXPECT_EQ(found_in(text), found) << text;
  }
}

TEST(Scanner, FindsNoNamesInOrdinaryText) {
  for (const char* text : {"The end.The beginning",
                           "e.g. this, i.e. that",
                           "version 1.2.3",
                           "3.14",
                           "a/b/c.html",
                           "/usr/lib/x.so",
                           "main()",
                           "x.y",
                           "...",
                           "@",
                           "a@b",
                           "@@@@",
                           "10:30",
                           "key:value",
                           "http:",
                           "://",
                           "C:\\dir\\file.com",
                           "foo@bar.invalidtld",
                           "今天天气很好。我们走吧。",
                           "[.]",
                           "((((",
                           "http"}) {
    EXPECT_EQ(found_in(text), Strings()) << text;
  }
}

TEST(Scanner, JoinsAUrlInAngleBracketsThatIsBrokenOverLines) {
  EXPECT_EQ(found_in("<http://example.com/a\r\n b/c\r\n>d"),
            (Strings{"http://example.com/ab/c", "http://example.com/a"}));
  EXPECT_EQ(found_in("<URL:http://exam\r\nple.com/b>").front(), "http://example.com/b");
  EXPECT_EQ(found_in("<http://example.com/a\r\nb <c>"), Strings{"http://example.com/a"}) << "not one URL";
  EXPECT_EQ(found_in("<http://example.com/a\r\nb"), Strings{"http://example.com/a"}) << "never closed";
}

// A text around them changes nothing about which URLs are found.
TEST(Scanner, FindsTheSameWhereverItStands) {
  const std::string url = "https://www.example.com/a";
  const Strings around{" ",      "\r\n", "\t",   "<>",   "\"", "a ",  "a. ", "( ",
                       "\u3000", "“",    "\x01", "....", "@ ", ":: ", "[[ ", "http "};
  for (const std::string& before : around) {
    for (const std::string& after :
         {std::string(" "), std::string("\n"), std::string(">"), std::string("\" "), std::string("\u3000a")}) {
      EXPECT_EQ(found_in(before + url + after), Strings{url}) << before << after;
    }
  }
}

TEST(Scanner, EndsWhenTheSinkDoes) {
  int calls = 0;
  EXPECT_FALSE(scan_for_urls("http://a.example/ http://b.example/", suffixes().top, [&calls](std::string_view) {
    ++calls;
    return false;
  }));
  EXPECT_EQ(calls, 1);
}

// Texts made to be slow: the octets of all candidates together are linear in the text's.
TEST(Scanner, IsLinear) {
  constexpr std::size_t size = 200000;
  for (const std::string unit : {"http://",
                                 "http://a",
                                 "<http://a\n",
                                 "<http:\n",
                                 "a@",
                                 "a.com@",
                                 "a.com,",
                                 "a.com/",
                                 ".",
                                 "[.]",
                                 "(",
                                 "。",
                                 "中.",
                                 "www.",
                                 "http://a.com,",
                                 "hxxp[.]",
                                 "@a.com",
                                 ":",
                                 "://",
                                 "\u00a0",
                                 "a.中com",
                                 "<",
                                 "http://a.com/http://b.com/?"}) {
    std::string text;
    while (text.size() < size) text += unit;
    std::size_t octets = 0;
    const auto begun = std::chrono::steady_clock::now();
    scan_for_urls(text, suffixes().top, [&octets](std::string_view written) {
      octets += written.size();
      return true;
    });
    EXPECT_LE(octets, 20 * size) << unit;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5)) << unit;
  }
}

}  // namespace
}  // namespace sallyport::url
