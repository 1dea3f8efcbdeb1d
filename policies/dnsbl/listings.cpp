#include "policies/dnsbl/listings.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_name.h"

namespace sallyport::policies {

namespace {

std::string describe(const DnsblFacts::Failed& failed) {
  switch (failed.why) {
    case ListFailure::no_answer:
      return "no usable answer";
    case ListFailure::list_error:
      return "answered " + text::join(failed.codes, ",") + ", which is an error of the list";
    case ListFailure::budget:
      return "not asked: too many DNS questions";
    case ListFailure::set_aside:
      return "not asked: it did not answer ten times in a row";
    case ListFailure::failed_test:
      return "not asked: it failed its self test";
    case ListFailure::name_too_long:
      break;
  }
  return "not asked: the name of the question would be too long";
}

}  // namespace

std::vector<Listing> listings(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Listing> counted;
  if (exemption_of(client, settings.skip) != Exemption::none) return counted;
  for (const DnsblFacts::Hit& hit : facts.hits) {
    const auto zone = settings.zones.find(hit.zone);
    if (zone == settings.zones.end()) continue;
    Listing listing{public_zone_name(hit.zone), {}, zone->second.score.value_or(settings.score)};
    for (const std::string& code : hit.codes) {
      const auto address = IpAddress::parse(code);
      if (address && is_listing_code(*address, zone->second.reply)) listing.codes.push_back(code);
    }
    if (!listing.codes.empty()) counted.push_back(std::move(listing));
  }
  return counted;
}

std::vector<Unanswered> unanswered(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Unanswered> found;
  if (exemption_of(client, settings.skip) != Exemption::none) return found;
  for (const DnsblFacts::Failed& failed : facts.failed) {
    if (settings.zones.contains(failed.zone)) found.push_back({public_zone_name(failed.zone), describe(failed)});
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
