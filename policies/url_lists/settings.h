// Settings of the lists of domains and hashes (contract.md, policy.url_lists).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"
#include "policies/lists/list_settings.h"
#include "policies/url_lists/codes.h"

namespace sallyport {

namespace policies {

// What a list is asked for: a name under its zone, or a digest of something.
enum class UrlListKind : std::uint8_t { domain, hash };
// What a list of hashes has the digests of.
enum class HashOf : std::uint8_t { address, domain, url };
// SHA-256 in hexadecimal is longer than a label may be (RFC 1035, 2.3.4); lists have it in base32.
enum class HashForm : std::uint8_t { sha1, sha256_base32, md5 };

struct UrlList {
  UrlListKind kind = UrlListKind::domain;
  HashOf of = HashOf::address;
  HashForm hash = HashForm::sha1;
  bool ips = false;  // a list of domains that has addresses too, reversed
  std::optional<double> score;
  std::vector<ReplyRange> reply{{IpAddress::v4({127, 0, 0, 2}), IpAddress::v4({127, 0, 255, 255})}};
  std::vector<NameCodeScore> codes;  // when there are any, they stand for `score` and `reply`
  std::string name;                  // in public; empty: public_zone_name()
  SelfTest self_test = SelfTest::automatic;

  bool counts(const IpAddress& code) const;
  // What a hit with these codes adds: of ranges the narrowest that has a code, and all bits; each once.
  double score_of(const std::vector<std::string>& found, double without_score) const;
};

struct UrlListsSettings {
  Mode mode = Mode::enforce;
  double score = 4.0;  // of lists without one of their own
  std::uint64_t names_per_list = 20;
  // Domains that are in so much honest mail that lists do not have them.
  std::vector<std::string> skip{"w3.org",
                                "google.com",
                                "googleapis.com",
                                "gstatic.com",
                                "youtube.com",
                                "microsoft.com",
                                "outlook.com",
                                "office.com",
                                "live.com",
                                "apple.com",
                                "facebook.com",
                                "instagram.com",
                                "linkedin.com",
                                "twitter.com",
                                "x.com",
                                "urldefense.com",
                                "proofpoint.com",
                                "mimecast.com",
                                "mimecastprotect.com",
                                "gmail.com"};
  std::map<std::string, UrlList> zones;  // by zone, lower case, without the final dot
};

extern const settings::SectionOf<UrlListsSettings> url_lists_section;

}  // namespace policies

template <>
inline constexpr auto words_of<policies::UrlListKind> = std::to_array<std::string_view>({"domain", "hash"});
template <>
inline constexpr auto words_of<policies::HashOf> = std::to_array<std::string_view>({"address", "domain", "url"});
template <>
inline constexpr auto words_of<policies::HashForm> = std::to_array<std::string_view>({"sha1", "sha256-base32", "md5"});

}  // namespace sallyport
