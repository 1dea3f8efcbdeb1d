#include "policies/dnsbl/list_name.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"

namespace sallyport::policies {

namespace {

constexpr std::size_t max_name_octets = 253;
// Shorter words of letters and digits are ordinary names; keys in use have 24 octets or more.
constexpr std::size_t min_key_octets = 20;

bool looks_like_key(std::string_view label) {
  return label.size() >= min_key_octets && std::all_of(label.begin(), label.end(), text::is_alnum) &&
         std::any_of(label.begin(), label.end(), text::is_digit);
}

}  // namespace

std::optional<std::string> list_query_name(std::string_view address_octets, std::string_view zone) {
  std::string name = dns::reverse_labels(address_octets);
  name += zone;
  if (name.size() > max_name_octets) return std::nullopt;
  return name;
}

std::string public_zone_name(std::string_view zone) {
  // Everything before the name of the service's list is the customer's key.
  constexpr std::string_view keyed_service = ".dq.spamhaus.net";
  if (zone.ends_with(keyed_service)) {
    const std::string_view before = zone.substr(0, zone.size() - keyed_service.size());
    return std::string(zone.substr(before.rfind('.') + 1));
  }
  std::size_t shown_from = 0;
  std::size_t begin = 0;
  for (std::string_view label : text::split(zone, '.')) {
    begin += label.size() + 1;
    if (looks_like_key(label) && begin < zone.size()) shown_from = begin;
  }
  return std::string(zone.substr(shown_from));
}

}  // namespace sallyport::policies
