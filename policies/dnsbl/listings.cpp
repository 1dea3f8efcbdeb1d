#include "policies/dnsbl/listings.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/lists/list_answer.h"
#include "policies/lists/list_name.h"

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
    case ListFailure::no_time:
      return "not asked: the time for look-ups was used up";
    case ListFailure::name_too_long:
      break;
  }
  return "not asked: the name of the question would be too long";
}

// The settings of the list that the facts mean; null when these settings do not have it.
const DnsblZone* find_zone(const DnsblFacts::List& list, const DnsblSettings& settings) {
  if (!list.zone.empty()) {
    const auto found = settings.zones.find(list.zone);
    return found == settings.zones.end() ? nullptr : &found->second;
  }
  for (const auto& [zone, name] : list_names(settings)) {
    if (name == list.name) return &settings.zones.at(zone);
  }
  return nullptr;
}

}  // namespace

std::map<std::string, std::string> list_names(const DnsblSettings& settings) {
  std::map<std::string, std::string> names;
  std::map<std::string, unsigned> used;
  for (const auto& [zone, of_zone] : settings.zones) {
    std::string name = of_zone.name.empty() ? public_zone_name(zone) : of_zone.name;
    const unsigned place = ++used[name];
    if (place > 1) name += '#' + std::to_string(place);
    names.emplace(zone, std::move(name));
  }
  return names;
}

std::vector<Listing> listings(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Listing> counted;
  if (exemption_of(client, settings.skip) != Exemption::none) return counted;
  for (const DnsblFacts::Hit& hit : facts.hits) {
    const DnsblZone* zone = find_zone(hit.list, settings);
    if (zone == nullptr) continue;
    Listing listing{hit.list.name, {}, 0, zone->text};
    const std::vector<ReplyRange> hits = zone->hits();
    for (const std::string& code : hit.codes) {
      const auto address = IpAddress::parse(code);
      if (address && is_listing_code(*address, hits)) listing.codes.push_back(code);
    }
    listing.score = zone->score_of(listing.codes, settings.score);
    if (!listing.codes.empty()) counted.push_back(std::move(listing));
  }
  return counted;
}

std::vector<Unanswered> unanswered(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings) {
  std::vector<Unanswered> found;
  if (exemption_of(client, settings.skip) != Exemption::none) return found;
  for (const DnsblFacts::Failed& failed : facts.failed) {
    if (find_zone(failed.list, settings) != nullptr) found.push_back({failed.list.name, describe(failed)});
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
