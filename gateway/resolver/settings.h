// Settings of the resolver: the table [dns] of the configuration.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/settings/section.h"

namespace sallyport::resolver {

struct ResolverSettings {
  std::vector<SocketAddress> servers;  // recursive servers, tried in this order; at least one
  Duration timeout =
      std::chrono::seconds(5);           // for a whole question, including all servers and retries (threats.md D7)
  std::uint64_t cache_entries = 100000;  // size of the cache that all workers share
  bool use_0x20 = true;                  // random case of the name's letters as additional random bits (D1)
  // How long a failure is cached, so that a dead server does not cost every session the whole timeout. Together with
  // the last retry (two fifths of the timeout) it stays below the 5 s within which service must be back once a server
  // is (R9).
  Duration failure_ttl = std::chrono::seconds(2);
  // Questions in flight at the same time per worker; each needs a descriptor. Further questions fail at once.
  std::uint64_t max_in_flight = 2000;
};

extern const settings::SectionOf<ResolverSettings> resolver_section;

// The servers a resolv.conf names: the first three `nameserver` lines with an address, on port 53. Without one:
// 127.0.0.1, as resolv.conf(5) says.
std::vector<SocketAddress> servers_of_resolv_conf(std::string_view text);

}  // namespace sallyport::resolver
