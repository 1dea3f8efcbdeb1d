// Settings of the DNS list policy (contract.md, policy.dnsbl).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

// Answers that count as a hit. Each octet of an answer lies between those of `first` and `last`, both included, so that
// lists that keep meanings in different octets can be told apart: "127.0.0.2-127.0.255.3" is 127.0.x.2 and 127.0.x.3.
struct ReplyRange {
  IpAddress first;
  IpAddress last;

  bool contains(const IpAddress& answer) const;
  friend bool operator==(const ReplyRange&, const ReplyRange&) = default;
};

// "127.0.0.2" or "127.0.0.2-127.0.0.11". Nothing when it is not that, lies outside 127.0.0.0/8, or could only hold
// answers that are never a hit (127.0.0.1, 127.255.255.0/24; threats.md D8).
std::optional<ReplyRange> parse_reply_range(std::string_view text);

struct DnsblZone {
  std::optional<double> score;    // negative: an allow list; nothing: DnsblSettings::score
  std::vector<ReplyRange> reply;  // empty: 127.0.0.2-127.0.0.254
  bool self_test = false;         // RFC 5782 test points, every 5 minutes (threats.md D9)
};

struct DnsblSettings {
  Mode mode = Mode::enforce;
  double reject_at = 8.0;
  double score = 1.0;  // of zones that give none themselves
  std::vector<IpNetwork> skip;
  std::map<std::string, DnsblZone> zones;  // by zone, lower case, without the final dot
};

}  // namespace sallyport::policies
