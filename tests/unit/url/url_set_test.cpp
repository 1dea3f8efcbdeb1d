// The URLs of one mail: each once, bounded, with what they lead to.
#include "gateway/url/url_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/base/field_json.h"
#include "tests/unit/url/url_world.h"

namespace sallyport::url {
namespace {

std::vector<std::string> texts(const UrlSet& set) {
  std::vector<std::string> all;
  for (const Found& found : set.urls()) all.push_back(found.url.text);
  return all;
}

TEST(UrlSet, HasEachUrlOnceUnderTheMostTellingPlace) {
  UrlSet set(suffixes());
  set.add_text("http://Example.com/a", Place::header);
  set.add_text("see http://example.com/a, hxxp://example[.]com:80/x/../a");
  ASSERT_EQ(set.urls().size(), 1u);
  EXPECT_EQ(set.urls()[0].place, Place::text);
  set.add_link("http://example.com/a", "click");
  ASSERT_EQ(set.urls().size(), 1u);
  EXPECT_EQ(set.urls()[0].place, Place::link);
  EXPECT_EQ(set.urls()[0].shown, "click");
  EXPECT_TRUE(set.is_whole());
}

TEST(UrlSet, KeepsWhatWrapsAndWhatIsWrapped) {
  UrlSet set(suffixes());
  set.add_text(
      "https://www.google.com/"
      "url?q=https%3A%2F%2Furldefense.com%2Fv3%2F__https%3A%2F%2Fevil.example.com%2Fa__%3B!!x!y%24");
  const auto& urls = set.urls();
  ASSERT_EQ(urls.size(), 3u) << testing::PrintToString(texts(set));
  EXPECT_EQ(urls[2].url.text, "https://evil.example.com/a");
  EXPECT_EQ(urls[0].within, std::nullopt);
  EXPECT_EQ(urls[1].within, 0u);
  EXPECT_EQ(urls[2].within, 1u);
}

TEST(UrlSet, UnwrapsToABound) {
  std::string url = "https://evil.example.com/";
  for (int i = 0; i < 12; ++i) url = "https://r" + std::to_string(i) + ".example.net/?u=" + url;
  UrlSet set(suffixes());
  set.add_link(url, "");
  EXPECT_EQ(set.urls().size(), 1 + UrlLimits{}.depth);
}

TEST(UrlSet, SeesThatALinkShowsAnotherDomain) {
  const auto shows_other = [](const char* target, const char* shown) {
    UrlSet set(suffixes());
    set.add_link(target, shown);
    return !set.urls().empty() && set.urls().front().shows_other;
  };
  EXPECT_TRUE(shows_other("http://evil.example.com/", "http://bank.co.uk/login"));
  EXPECT_TRUE(shows_other("http://evil.example.com/", "Go to www.bank.co.uk"));
  EXPECT_TRUE(shows_other("http://192.0.2.1/", "bank.co.uk"));
  EXPECT_TRUE(shows_other("http://bank.co.uk@evil.example.com/", "bank.co.uk"));
  EXPECT_FALSE(shows_other("http://login.bank.co.uk/", "http://www.bank.co.uk/"));
  EXPECT_FALSE(shows_other("http://evil.example.com/", "Click here"));
  EXPECT_FALSE(shows_other("https://www.google.com/url?q=https://bank.co.uk/", "bank.co.uk")) << "it leads there";
  EXPECT_FALSE(shows_other("http://evil.example.com/", "ann@bank.co.uk"));
}

TEST(UrlSet, HasAllReadings) {
  const auto owners = [](const char* text) {
    UrlSet set(suffixes());
    set.add_text(text);
    std::vector<std::string> all;
    for (const Found& found : set.urls()) all.push_back(found.url.owner());
    return all;
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(owners("http://good.com\\@evil.net/"), (Strings{"good.com", "evil.net"}));
  EXPECT_EQ(owners("http://evil.net,good.com/"), (Strings{"evil.net,good.com", "evil.net"}));
  UrlSet set(suffixes());
  set.add_text("http://evil.net查看/");
  ASSERT_EQ(set.urls().size(), 2u);
  EXPECT_EQ(set.urls()[1].url.domain, "evil.net");
}

TEST(UrlSet, TakesUrlsOutOfTargetsThatAreNone) {
  UrlSet set(suffixes());
  set.add_link("javascript:location='https://evil.example.com/a'", "x");
  set.add_link("mailto:ann@example.com,bob@example.net?subject=x", "x");
  set.add_link("//evil.example.org/b", "x");
  set.add_link("cid:part1@example.com", "x", Place::resource);
  set.add_link("page.html", "x");
  set.add_link("/page/x", "x");
  set.add_link("#top", "x");
  EXPECT_EQ(texts(set), (std::vector<std::string>{"https://evil.example.com/a", "mailto:ann@example.com",
                                                  "mailto:bob@example.net", "http://evil.example.org/b"}));
}

TEST(UrlSet, TakesUrlsOutOfData) {
  UrlSet set(suffixes());
  set.add_link("data:text/html,%3Ca%20href=%22http://a.example.com/%22%3E", "x");
  set.add_link("DATA:text/html;charset=utf-8;Base64,PGEgaHJlZj0iaHR0cDovL2IuZXhhbXBsZS5jb20vIj4=", "x");
  set.add_link("data:image/svg+xml,<a href=http://c.example.com/ />", "", Place::resource);
  set.add_link("data:image/png;base64,aHR0cDovL2QuZXhhbXBsZS5jb20v", "", Place::resource);
  set.add_link("data:", "x");
  EXPECT_EQ(texts(set),
            (std::vector<std::string>{"http://a.example.com/", "http://b.example.com/", "http://c.example.com/"}));
}

TEST(UrlSet, TakesUrlsOfNewHostsOutOfCode) {
  UrlSet set(suffixes());
  set.add_link("http://known.example.com/a", "x");
  set.add_code(
      "<html xmlns='http://www.w3.org/1999/xhtml'><a href=\"http://known.example.com/a?b&amp;c\">x</a><script>var e = "
      "document.com; location='http:\\/\\/new.example.com\\/b'; f('http://other.example.net'+x)</script>");
  EXPECT_EQ(texts(set).size(), 4U) << testing::PrintToString(texts(set));
  for (const char* host : {"known.example.com", "new.example.com", "other.example.net"}) {
    EXPECT_TRUE(std::any_of(set.urls().begin(), set.urls().end(), [host](const Found& one) {
      return one.url.host == host;
    })) << host;
  }
}

TEST(UrlSet, TakesTheBeginningOfWhatIsNoHost) {
  for (const char* written : {"http://example.com|x", "http://example.com]/x", "http://example.com^x"}) {
    UrlSet set(suffixes());
    set.add_text(written);
    ASSERT_EQ(set.urls().size(), 1U) << written;
    EXPECT_EQ(set.urls().front().url.text, "http://example.com/") << written;
  }
}

TEST(UrlSet, IsBoundedInNumber) {
  UrlSet set(suffixes());
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "http://h" + std::to_string(i) + ".example.com/ ";
  set.add_text(text);
  EXPECT_EQ(set.urls().size(), UrlLimits{}.urls);
  EXPECT_FALSE(set.is_whole());
}

TEST(UrlSet, IsBoundedInOctetsAndStillKnowsTheNames) {
  UrlSet set(suffixes());
  const std::string path(7000, 'a');
  for (int i = 0; i < 500; ++i) set.add_text("http://h" + std::to_string(i) + ".example.com/" + path);
  std::size_t octets = 0;
  for (const Found& found : set.urls()) octets += found.url.text.size();
  EXPECT_EQ(set.urls().size(), 500u);
  EXPECT_LE(octets, UrlLimits{}.octets + 500 * 64);
  EXPECT_EQ(set.urls().back().url.host, "h499.example.com");
  EXPECT_TRUE(has(set.urls().back().url.tricks, Trick::cut));
  EXPECT_FALSE(set.is_whole());
}

TEST(UrlSet, SurvivesItsJson) {
  UrlSet set(suffixes());
  set.add_link("https://www.google.com/url?q=https://evil.example.com/", "bank.co.uk");
  for (const Found& found : set.urls()) {
    const std::string json = FieldWriter::json(found);
    Found read;
    ASSERT_TRUE(FieldReader::read_json(*JsonValue::parse(json), read));
    EXPECT_EQ(FieldWriter::json(read), json);
  }
}

}  // namespace
}  // namespace sallyport::url
