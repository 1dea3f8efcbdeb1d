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

namespace sallyport::policies {

namespace {

int weight_of_place(url::Place place) {
  switch (place) {
    case url::Place::form:
      return 12;
    case url::Place::link:
      return 10;
    case url::Place::text:
      return 8;
    case url::Place::header:
      return 4;
    case url::Place::resource:
      break;
  }
  return 2;
}

bool is_suspicious(url::Trick trick) {
  switch (trick) {
    case url::Trick::userinfo:
    case url::Trick::slashes:
    case url::Trick::spaces:
    case url::Trick::encoded:
    case url::Trick::invisible:
    case url::Trick::letters:
    case url::Trick::ip:
    case url::Trick::odd_host:
      return true;
    case url::Trick::no_scheme:
    case url::Trick::defanged:
    case url::Trick::idn:
    case url::Trick::cut:
      break;
  }
  return false;
}

int suspicion(const url::Found& found) {
  int weight = weight_of_place(found.place);
  if (found.shows_other) weight += 40;
  if (std::any_of(found.url.tricks.begin(), found.url.tricks.end(), is_suspicious)) weight += 20;
  if (found.within) weight += 6;
  if (url::has(found.url.tricks, url::Trick::no_scheme)) weight -= 5;
  return weight;
}

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
  std::vector<const url::Found*> by_suspicion;
  by_suspicion.reserve(found.size());
  for (const url::Found& one : found) by_suspicion.push_back(&one);
  std::stable_sort(by_suspicion.begin(), by_suspicion.end(),
                   [](const auto* a, const auto* b) { return suspicion(*a) > suspicion(*b); });
  std::vector<Asked> all;
  std::set<std::string, std::less<>> known;
  for (const url::Found* one : by_suspicion) {
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
