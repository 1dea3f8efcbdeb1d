#include "policies/url_lists/questions.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/dns/reverse_name.h"
#include "gateway/url/suspicion.h"

namespace sallyport::policies {

namespace {

// RFC 4648, 6, in lower case and without padding.
std::string to_base32(std::string_view octets) {
  constexpr std::string_view digits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char octet : octets) {
    bits = bits << 8 | static_cast<unsigned char>(octet);
    for (count += 8; count >= 5; count -= 5) out += digits[bits >> (count - 5) & 31];
  }
  if (count > 0) out += digits[bits << (5 - count) & 31];
  return out;
}

std::optional<Asked> of_domain_list(const url::Url& url, const UrlList& list) {
  if (url.is_ip) {
    const auto address = IpAddress::parse(url.host);
    if (!list.ips || !address) return std::nullopt;
    std::string labels = dns::reverse_labels(address->octets());
    labels.pop_back();
    return Asked{url.host, std::move(labels)};
  }
  // threats.md D23: what is asked is a name.
  if (url.domain.empty() || !is_domain_name(url.domain)) return std::nullopt;
  return Asked{url.domain, url.domain};
}

std::optional<Asked> of_hash_list(const url::Url& url, const UrlList& list) {
  std::string what;
  switch (list.of) {
    case HashOf::address:
      if (url.is_address()) what = canonical_address(url.user, url.host);
      break;
    case HashOf::domain:
      what = url.domain;
      break;
    case HashOf::url:
      if (!url.is_address() && !url::has(url.tricks, url::Trick::cut)) what = url.text;
      break;
  }
  if (what.empty()) return std::nullopt;
  std::string label = digest_label(what, list.hash);
  return Asked{std::move(what), std::move(label)};
}

}  // namespace

std::vector<Asked> askable(const std::vector<url::Found>& found, const UrlList& list, const IsSkipped& is_skipped) {
  std::vector<Asked> all;
  std::set<std::string, std::less<>> known;
  for (const url::Found* one : url::by_suspicion(found)) {
    const url::Url& url = one->url;
    // An address at a well-known provider may be listed; its domain is not.
    const bool is_of_address = list.kind == UrlListKind::hash && list.of == HashOf::address;
    if (!is_of_address && !url.domain.empty() && is_skipped(url.domain)) continue;
    auto asked = list.kind == UrlListKind::domain ? of_domain_list(url, list) : of_hash_list(url, list);
    if (asked && known.insert(asked->labels).second) all.push_back(std::move(*asked));
  }
  return all;
}

std::string canonical_address(std::string_view local, std::string_view domain) {
  std::string name = text::to_lower(local.substr(0, local.find('+')));
  const bool is_google = domain == "gmail.com" || domain == "googlemail.com";
  if (is_google) std::erase(name, '.');
  return name + "@" + (is_google ? "gmail.com" : text::to_lower(domain));
}

std::string digest_label(std::string_view text, HashForm form) {
  switch (form) {
    case HashForm::sha1:
      return text::to_hex(crypto::digest(crypto::DigestAlgorithm::sha1, text));
    case HashForm::md5:
      return text::to_hex(crypto::digest(crypto::DigestAlgorithm::md5, text));
    case HashForm::sha256_base32:
      break;
  }
  return to_base32(crypto::sha256(text));
}

}  // namespace sallyport::policies
