#include "policies/url_lists/questions.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/dns/reverse_name.h"

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

// What the list may have of the URL; empty: nothing. `made`: where it is no part of the URL itself.
std::string_view subject_of(const url::Url& url, const UrlList& list, std::string& made) {
  if (list.kind == UrlListKind::domain) {
    if (url.is_ip) return list.ips ? std::string_view(url.host) : std::string_view();
    return url.domain;
  }
  switch (list.of) {
    case HashOf::address:
      if (url.is_address()) made = canonical_address(url.user, url.host);
      return made;
    case HashOf::domain:
      return url.domain;
    case HashOf::url:
      break;
  }
  const bool is_whole_url = !url.is_address() && !url::has(url.tricks, url::Trick::cut);
  return is_whole_url ? std::string_view(url.text) : std::string_view();
}

// How the list is asked for it; nothing: it cannot be.
std::optional<std::string> labels_of(std::string_view subject, const url::Url& url, const UrlList& list) {
  if (list.kind == UrlListKind::hash) return digest_label(subject, list.hash);
  if (!url.is_ip) {
    // threats.md D23: what is asked is a name.
    return is_domain_name(subject) ? std::optional(std::string(subject)) : std::nullopt;
  }
  const auto address = IpAddress::parse(subject);
  if (!address) return std::nullopt;
  std::string labels = dns::reverse_labels(address->octets());
  labels.pop_back();
  return labels;
}

}  // namespace

std::vector<Candidate> candidates(const std::vector<const url::Found*>& urls, const IsSkipped& is_skipped) {
  std::vector<Candidate> all;
  all.reserve(urls.size());
  // A mail names few domains, in many URLs.
  std::unordered_map<std::string_view, bool> skipped;
  for (const url::Found* one : urls) {
    const url::Url& url = one->url;
    if (url.domain.empty()) {
      all.push_back({&url, false});
      continue;
    }
    const auto [domain, is_new] = skipped.try_emplace(url.domain, false);
    if (is_new) domain->second = is_skipped(url.domain);
    all.push_back({&url, domain->second});
  }
  return all;
}

AskedOfList askable(const std::vector<Candidate>& candidates, const UrlList& list, std::size_t most) {
  AskedOfList asked;
  std::set<std::string, std::less<>> known;
  // An address at a well-known provider may be listed; its domain is not.
  const bool is_of_address = list.kind == UrlListKind::hash && list.of == HashOf::address;
  for (const Candidate& one : candidates) {
    if (one.is_skipped && !is_of_address) continue;
    std::string made;
    const std::string_view subject = subject_of(*one.url, list, made);
    if (subject.empty() || known.contains(subject)) continue;
    known.emplace(subject);
    if (asked.all.size() == most) {
      ++asked.left_out;
    } else if (auto labels = labels_of(subject, *one.url, list)) {
      asked.all.push_back({std::string(subject), std::move(*labels)});
    }
  }
  return asked;
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
