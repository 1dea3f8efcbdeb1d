#include "policies/lists/list_name.h"

#include <algorithm>
#include <array>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"

namespace sallyport::policies {

namespace {

// What the labels of well-known lists are, in order: too short and too common to be anybody's key.
constexpr auto list_words = std::to_array<std::string_view>({
    "all",   "allow",     "allowlist", "auth",     "authbl",    "b",       "backscatter", "bad",      "bb",
    "bl",    "black",     "blacklist", "block",    "blocklist", "bogons",  "cbl",         "combined", "css",
    "dbl",   "deny",      "dnsbl",     "dnsbl-1",  "dnsbl-2",   "dnsbl-3", "dnsrbl",      "dnswl",    "domain",
    "dq",    "drop",      "dul",       "dyna",     "ebl",       "email",   "exploit",     "file",     "good",
    "gray",  "grey",      "hashbl",    "hbl",      "hostkarma", "http",    "ip",          "ips",      "ipv4",
    "ipv6",  "ix",        "list",      "lists",    "mail",      "malware", "misc",        "multi",    "new",
    "noptr", "old",       "pbl",       "phishing", "psbl",      "public",  "rbl",         "recent",   "red",
    "rep",   "rhsbl",     "safe",      "sbl",      "sbl-xbl",   "score",   "smtp",        "socks",    "spam",
    "surbl", "swl",       "truncate",  "uribl",    "url",       "v4",      "v6",          "virus",    "web",
    "white", "whitelist", "wl",        "wpbl",     "xbl",       "z",       "zen",         "zombie",   "zrd",
});
static_assert(std::is_sorted(list_words.begin(), list_words.end()));

bool is_list_word(std::string_view label) { return std::binary_search(list_words.begin(), list_words.end(), label); }

// Where the registrable part of the zone begins: the label before the longest suffix under which a registry, not a
// company, registers names. A company's customers may have been given names by their keys.
std::size_t registrable_label(std::string_view zone, const std::vector<std::string_view>& labels) {
  static const PublicSuffixList suffixes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string_view suffix = zone.substr(static_cast<std::size_t>(labels[i].data() - zone.data()));
    if (suffixes.is_public_suffix(suffix, PublicSuffixList::Section::icann)) return i == 0 ? 0 : i - 1;
  }
  return labels.size() - 1;
}

// A name server of one's own may serve KEY.rbl, whose key stands where others have the name of the list.
bool looks_like_key(std::string_view label) {
  const auto digits = std::count_if(label.begin(), label.end(), text::is_digit);
  const bool is_number = digits == static_cast<std::ptrdiff_t>(label.size());
  return (is_number && label.size() >= 5) || (label.size() >= 12 && digits >= 3) || label.size() >= 40;
}

}  // namespace

std::optional<std::string> list_query_name(std::string_view address_octets, std::string_view zone) {
  std::string name = dns::reverse_labels(address_octets);
  name += zone;
  if (name.size() > max_question_octets) return std::nullopt;
  return name;
}

std::string public_zone_name(std::string_view zone) {
  const std::vector<std::string_view> labels = text::split(zone, '.');
  std::size_t first = registrable_label(zone, labels);
  if (first + 1 < labels.size() && looks_like_key(labels[first])) {
    ++first;
  } else {
    while (first > 0 && is_list_word(labels[first - 1])) --first;
  }
  return std::string(zone.substr(static_cast<std::size_t>(labels[first].data() - zone.data())));
}

}  // namespace sallyport::policies
