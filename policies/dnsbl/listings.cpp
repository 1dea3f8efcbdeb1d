#include "policies/dnsbl/listings.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/lists/list_answer.h"

namespace sallyport::policies {

std::vector<Listing> listings(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Listing> counted;
  if (exemption_of(client, settings.skip) != Exemption::none) return counted;
  for (const DnsblFacts::Hit& hit : facts.hits) {
    const auto found = find_list(hit.list, settings.zones);
    if (found == settings.zones.end()) continue;
    const DnsblZone& zone = found->second;
    Listing listing{hit.list.name, {}, 0, zone.text};
    const std::vector<ReplyRange> hits = zone.hits();
    for (const std::string& code : hit.codes) {
      const auto address = IpAddress::parse(code);
      if (address && is_listing_code(*address, hits)) listing.codes.push_back(code);
    }
    listing.score = zone.score_of(listing.codes, settings.score);
    if (!listing.codes.empty()) counted.push_back(std::move(listing));
  }
  return counted;
}

std::vector<Unanswered> unanswered(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Unanswered> found;
  if (exemption_of(client, settings.skip) != Exemption::none) return found;
  for (const DnsblFacts::Failed& failed : facts.failed) {
    if (find_list(failed.list, settings.zones) == settings.zones.end()) continue;
    found.push_back({failed.list.name, describe(failed.why, failed.codes)});
  }
  return found;
}

double sum_of(const std::vector<Listing>& listings) {
  double sum = 0;
  for (const Listing& listing : listings) sum += listing.score;
  return sum;
}

const Listing* worst_of(const std::vector<Listing>& listings) {
  const auto by_score = [](const Listing& a, const Listing& b) { return a.score < b.score; };
  const auto worst = std::max_element(listings.begin(), listings.end(), by_score);
  return worst == listings.end() ? nullptr : &*worst;
}

std::string describe(const Listing& listing) { return listing.list + '=' + text::join(listing.codes, ","); }

}  // namespace sallyport::policies
