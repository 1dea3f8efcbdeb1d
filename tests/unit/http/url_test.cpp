// Addresses of the web, and which of them rules may ask.
#include "gateway/http/url.h"

#include <gtest/gtest.h>

namespace sallyport::http {
namespace {

std::string canonical(std::string_view text) {
  const auto url = Url::parse(text);
  return url ? url->to_string() : "none";
}

TEST(UrlText, IsRead) {
  EXPECT_EQ(canonical("https://Example.ORG"), "https://example.org/");
  EXPECT_EQ(canonical("HTTP://example.org:80/x?y=1#z"), "http://example.org/x?y=1");
  EXPECT_EQ(canonical("https://example.org:8443?y"), "https://example.org:8443/?y");
  EXPECT_EQ(canonical("https://192.0.2.1/"), "https://192.0.2.1/");
  EXPECT_EQ(canonical("https://[2001:DB8::1]:81/"), "https://[2001:db8::1]:81/");
  EXPECT_EQ(canonical("https://example.org./"), "https://example.org/");
}

TEST(UrlText, ThatDeceivesIsNone) {
  for (const char* text : {"",
                           "example.org",
                           "ftp://example.org/",
                           "https://",
                           "https:///x",
                           "https://user@example.org/",
                           "https://example.org@evil.example/",
                           "https://example.org:@evil.example/",
                           "https://example.org\\@evil.example/",
                           "https://example.org\\.evil.example/",
                           "https://exa mple.org/",
                           "https://example.org/a b",
                           "https://example.org/\r\nX: y",
                           "https://example.org:0/",
                           "https://example.org:65536/",
                           "https://example.org:x/",
                           "https://example.org:/",
                           "https://[::1/",
                           "https://[192.0.2.1]/",
                           "https://2001:db8::1/",
                           "https://exa..mple/",
                           "https://-/..",
                           "https://\xc3\xa9.example/",
                           "https://example.org%00.evil.example/",
                           "//example.org/"}) {
    EXPECT_EQ(canonical(text), "none") << text;
  }
  EXPECT_EQ(canonical("https://e.example/" + std::string(4000, 'x')), "none");
}

TEST(UrlHosts, AllowWhatTheyName) {
  const std::vector<std::string> hosts = {"api.example.org", "10.0.0.8:8443", "2001:db8::1", "[2001:db8::2]:81"};
  const auto allowed = [&](std::string_view text) { return is_allowed(Url::parse(text).value(), hosts); };
  EXPECT_TRUE(allowed("https://API.example.org/x"));
  EXPECT_TRUE(allowed("http://api.example.org:8080/x"));
  EXPECT_FALSE(allowed("https://example.org/"));
  EXPECT_FALSE(allowed("https://x.api.example.org/"));
  EXPECT_FALSE(allowed("https://api.example.org.evil.example/"));
  EXPECT_TRUE(allowed("https://10.0.0.8:8443/"));
  EXPECT_FALSE(allowed("https://10.0.0.8/"));
  EXPECT_TRUE(allowed("https://[2001:db8:0::1]:5/"));
  EXPECT_TRUE(allowed("https://[2001:db8::2]:81/"));
  EXPECT_FALSE(allowed("https://[2001:db8::2]/"));
  EXPECT_FALSE(is_allowed(Url::parse("https://example.org").value(), {}));
  for (const char* bad : {"", "https://example.org", "*.example.org", "a b", "example.org:x", "example.org/x"}) {
    EXPECT_FALSE(is_allowed_host(bad)) << bad;
  }
  for (const std::string& host : hosts) EXPECT_TRUE(is_allowed_host(host)) << host;
}

TEST(UrlOfARedirect, IsTakenFromWhereItStands) {
  const Url from = Url::parse("https://example.org:8443/a/b?c").value();
  const auto to = [&](std::string_view reference) {
    const auto url = Url::resolve(from, reference);
    return url ? url->to_string() : "none";
  };
  EXPECT_EQ(to("/x"), "https://example.org:8443/x");
  EXPECT_EQ(to("//other.example/x"), "https://other.example/x");
  EXPECT_EQ(to("http://other.example/x"), "http://other.example/x");
  EXPECT_EQ(to("javascript:alert(1)"), "none");
  const auto target = [&](int status, const std::string& location) {
    const auto url = redirect_target(from, status, &location);
    return url ? url->to_string() : "none";
  };
  EXPECT_EQ(target(308, "/x"), "https://example.org:8443/x");
  EXPECT_EQ(target(200, "/x") + target(304, "/x"), "nonenone");
  EXPECT_EQ(target(302, "http://example.org/x"), "none") << "never from https to http";
  EXPECT_FALSE(redirect_target(from, 302, nullptr));
  EXPECT_EQ(to("/\\evil.example"), "https://example.org:8443/\\evil.example") << "the same host whatever stands there";
}

}  // namespace
}  // namespace sallyport::http
