// URLs in a stranger's text (threats.md, section 13). What must hold: each has a text that is printable, no longer than
// allowed, and read again gives itself; its host is a name or an address; what is found is bounded.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/url/url_set.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const PublicSuffixList registrable;
  static const TopLevelDomains top;
  const url::Suffixes suffixes{registrable, top};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  url::UrlSet set(suffixes);
  set.add_text(input);
  set.add_link(input, input.substr(0, size / 2));
  ensure(set.urls().size() <= url::UrlLimits{}.urls, "more URLs than allowed");
  for (std::size_t i = 0; i < set.urls().size(); ++i) {
    const url::Found& found = set.urls()[i];
    ensure(!found.within || *found.within < i, "found within what stands behind it");
    const url::Url& one = found.url;
    ensure(one.text.size() <= url::max_url_octets + 512, "a URL longer than allowed");
    ensure(text::printable(one.text, std::string::npos) == one.text, "a URL that is not printable");
    ensure(one.text.find(' ') == std::string::npos, "a URL with a space");
    ensure(!one.is_ip || IpAddress::parse(one.host).has_value(), "an address that is none");
    ensure(one.path_at <= one.text.size(), "a path behind the end");
    ensure(one.host.size() <= 253 && text::to_lower(one.host) == one.host, "a host that is not normal");
    if (url::has(one.tricks, url::Trick::cut)) continue;
    const auto again = url::read_url(one.text, suffixes);
    ensure(again && again->text == one.text, "a normal form that is not normal: ");
  }
  return 0;
}
