// Where URLs lead that mail filters and redirectors write.
#include "gateway/url/wrapped_url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/base/base64.h"
#include "tests/unit/url/url_world.h"

namespace sallyport::url {
namespace {

std::vector<std::string> targets_of(std::string_view written) {
  const auto url = read_url(written, suffixes());
  std::vector<std::string> targets;
  if (!url) return targets;
  for (const std::string& target : wrapped_urls(*url)) targets.push_back(text_of(target));
  return targets;
}

TEST(WrappedUrl, LeadsToItsTarget) {
  const std::string target = "https://evil.example.com/a?b=c";
  for (const char* wrapped : {
           "https://nam01.safelinks.protection.outlook.com/"
           "?url=https%3A%2F%2Fevil.example.com%2Fa%3Fb%3Dc&data=05%7C01&reserved=0",
           "https://urldefense.proofpoint.com/v1/url?u=https://evil.example.com/a%3Fb%3Dc&k=x",
           "https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.example.com_a-3Fb-3Dc&d=DwMF&c=x",
           "https://urldefense.com/v3/__https://evil.example.com/a?b=c__;!!abc!def$",
           "https://urldefense.com/v3/__https:/evil.example.com/a*b=c__;Pw!!abc$",
           "https://urldefense.us/v3/__https://evil.example.com/a?b=c__;!!abc!def$",
           "https://www.google.com/url?q=https%3A%2F%2Fevil.example.com%2Fa%3Fb%3Dc&sa=D",
           "https://google.co.uk/url?url=https://evil.example.com/a%3Fb%3Dc",
           "https://www.google.com/amp/s/evil.example.com/a?b=c",
           "https://cdn.ampproject.org/c/s/evil.example.com/a?b=c",
           "https://evil-example-com.cdn.ampproject.org/v/s/evil.example.com/a?b=c",
           "https://evil-example-com.translate.goog/a?b=c",
           "https://secure-web.cisco.com/1abc/https%3A%2F%2Fevil.example.com%2Fa%3Fb%3Dc",
           "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fevil.example.com%2fa%3fb%3dc&c=E",
           "https://l.facebook.com/l.php?u=https%3A%2F%2Fevil.example.com%2Fa%3Fb%3Dc&h=x",
           "https://www.youtube.com/redirect?event=x&q=https%3A%2F%2Fevil.example.com%2Fa%3Fb%3Dc",
           "https://example.net/r?to=https%253A%252F%252Fevil.example.com%252Fa%253Fb%253Dc",
           "https://example.net/r?x=1;next=https://evil.example.com/a?b=c",
           "https://example.net/?https://evil.example.com/a?b=c",
           "https://example.net/r/https://evil.example.com/a?b=c",
           "https://example.net/#https://evil.example.com/a?b=c",
           "https://www.bing.com/ck/a?u=a1aHR0cHM6Ly9ldmlsLmV4YW1wbGUuY29tL2E_Yj1j&ntb=1",
           "https://example.net/r?u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUuY29tL2E/Yj1j",
           "https://eu-west-1.protection.sophos.com/?d=example.com&u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUuY29tL2E_Yj1j&i=x",
       }) {
    const auto targets = targets_of(wrapped);
    EXPECT_NE(std::find(targets.begin(), targets.end(), target), targets.end())
        << wrapped << " " << testing::PrintToString(targets);
  }
}

TEST(WrappedUrl, NeedsNoScheme) {
  for (const char* wrapped :
       {"https://example.net/r?to=//evil.example.com/a", "https://example.net/r?to=%2F%2Fevil.example.com%2Fa",
        "https://www.google.com/amp/evil.example.com/a"}) {
    EXPECT_EQ(targets_of(wrapped), std::vector<std::string>{"http://evil.example.com/a"}) << wrapped;
  }
  EXPECT_EQ(targets_of("https://my--site-example-com.translate.goog/"),
            std::vector<std::string>{"https://my-site.example.com/"});
  for (const char* none :
       {"https://example.net/r?to=//", "https://example.net/r?to=//a/b", "https://example.net/a//b.c/d"})
    EXPECT_EQ(targets_of(none), std::vector<std::string>()) << none;
}

TEST(WrappedUrl, OfMimecastLeadsToTheDomain) {
  EXPECT_EQ(targets_of("https://protect-eu.mimecast.com/s/AbCd?domain=evil.example.com"),
            std::vector<std::string>{"http://evil.example.com/"});
  EXPECT_EQ(targets_of("https://url.uk.m.mimecastprotect.com/s/AbCd?domain=evil.example.com"),
            std::vector<std::string>{"http://evil.example.com/"});
}

TEST(WrappedUrl, OfProofpointV3PutsCharactersBack) {
  const std::string said = to_base64("ä?öü%ab");
  EXPECT_EQ(targets_of("https://urldefense.com/v3/__https://evil.example.com/*x*y**D__;" + said + "!!a!b$"),
            std::vector<std::string>{text_of("https://evil.example.com/äx?yöü%ab")});
}

TEST(WrappedUrl, IsNoneForOrdinaryUrls) {
  for (const char* plain :
       {"https://example.com/", "https://example.com/http/x?httpd=1", "https://example.com/?q=hello+world",
        "https://example.com/a?b=aHR0", "mailto:ann@example.com", "https://urldefense.com/v3/x",
        "https://urldefense.proofpoint.com/v2/url?d=x", "https://example.com/?http", "https://http.example.com/"}) {
    EXPECT_EQ(targets_of(plain), std::vector<std::string>()) << plain;
  }
}

TEST(WrappedUrl, HasBoundedTargets) {
  std::string url = "https://example.net/?";
  for (int i = 0; i < 300; ++i)
    url += "u" + std::to_string(i) + "=https%3A%2F%2Fe" + std::to_string(i) + ".example.com&";
  EXPECT_EQ(targets_of(url).size(), max_targets);
}

}  // namespace
}  // namespace sallyport::url
