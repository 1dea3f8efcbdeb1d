#include "policies/dnsbl/dead_lists.h"

#include <algorithm>
#include <array>
#include <string>

#include "gateway/base/network_cover.h"
#include "gateway/base/score_text.h"

namespace sallyport::policies {

namespace {

// Lists of good clients whose answers are not those that lists of bad ones have.
struct AllowList {
  std::string_view zone;
  std::string_view codes;  // where its answers lie
};
constexpr std::array<AllowList, 3> allow_lists{{
    {"list.dnswl.org", "127.0.2.0-127.0.255.3"},
    {"iadb.isipp.com", "127.1.0.0-127.255.254.255"},
    {"swl.spamhaus.org", "127.0.2.2-127.0.2.103"},
}};

bool is_or_is_below(std::string_view zone, std::string_view parent) {
  if (!zone.ends_with(parent)) return false;
  return zone.size() == parent.size() || zone[zone.size() - parent.size() - 1] == '.';
}

// As in a file: zones."zen.dnsbl.example".reply
std::string key_of(const std::string& zone, std::string_view key) {
  const bool is_bare = zone.find('.') == std::string::npos;
  return "zones." + (is_bare ? zone : settings::quote(zone)) + "." + std::string(key);
}

bool meet(const ReplyRange& one, const ReplyRange& other) {
  for (std::size_t i = 0; i < 4; ++i) {
    const auto octet = [i](const IpAddress& address) { return static_cast<unsigned char>(address.octets()[i]); };
    if (octet(one.last) < octet(other.first) || octet(other.last) < octet(one.first)) return false;
  }
  return true;
}

void find_unmatched_codes(const std::string& name, const DnsblZone& zone, Advice& advice) {
  for (const AllowList& known : allow_lists) {
    if (!is_or_is_below(name, known.zone)) continue;
    const auto answers = parse_reply_range(known.codes);
    for (const ReplyRange& range : zone.hits()) {
      if (meet(range, *answers)) return;
    }
    const std::string reply = key_of(name, "reply"), score = key_of(name, "score");
    advice.warn({reply, score}, "this list answers with codes in " + std::string(known.codes) +
                                    ", none of which `reply` has: set " + advice.path(reply) + " = [\"" +
                                    std::string(known.codes) + "\"]");
  }
}

void find_low_scores(const DnsblSettings& dnsbl, Advice& advice) {
  double most = 0;
  std::string first;
  for (const auto& [name, zone] : dnsbl.zones) {
    double score = zone.codes.empty() ? zone.score.value_or(dnsbl.score) : 0;
    for (const CodeScore& code : zone.codes) score += std::max(code.score, 0.0);
    if (score <= 0) continue;
    most += score;
    if (first.empty()) first = key_of(name, "score");
  }
  if (first.empty() || most >= dnsbl.reject_at) return;
  advice.warn({"reject_at", "score", first}, "no client is refused by these lists: their scores come to " +
                                                 score_text(most) + " even together, and " + advice.path("reject_at") +
                                                 " is " + score_text(dnsbl.reject_at));
}

}  // namespace

void find_dead_lists(const DnsblSettings& dnsbl, Advice& advice) {
  if (dnsbl.mode == Mode::off) return;  // said already, of the whole check
  if (dnsbl.zones.empty()) {
    for (const char* key : {"reject_at", "score", "skip"}) {
      if (!advice.is_given(key)) continue;
      advice.warn({key}, "no list is asked: none is named in " + advice.path("zones"));
      break;
    }
    return;
  }
  for (const auto& [name, zone] : dnsbl.zones) find_unmatched_codes(name, zone, advice);
  find_low_scores(dnsbl, advice);
  for (const Family family : {Family::v4, Family::v6}) {
    if (cover_all(dnsbl.skip, family))
      advice.warn({"skip"}, std::string("no client with an IPv") + (family == Family::v4 ? "4" : "6") +
                                " address is looked up: `skip` has them all");
  }
}

}  // namespace sallyport::policies
