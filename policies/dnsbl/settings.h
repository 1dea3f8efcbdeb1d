// Settings of the DNS list policy (contract.md, policy.dnsbl).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"
#include "policies/lists/list_settings.h"

namespace sallyport::policies {

using DnsblZone = ListSettings;  // a list of client addresses

struct DnsblSettings {
  Mode mode = Mode::enforce;
  double reject_at = 8.0;
  double score = 1.0;  // for zones without a score of their own
  std::vector<IpNetwork> skip;
  std::map<std::string, DnsblZone> zones;  // by zone, lower case, without the final dot
};

extern const settings::SectionOf<DnsblSettings> dnsbl_section;

}  // namespace sallyport::policies
