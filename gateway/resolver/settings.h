// Settings of the resolver: [dns] of the configuration.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"

namespace sallyport::resolver {

struct ResolverSettings {
  std::vector<SocketAddress> servers;          // recursive servers, asked in this order; at least one
  Duration timeout = std::chrono::seconds(5);  // for a whole question, all servers and retries included (threats.md D7)
  std::uint64_t cache_entries = 100000;        // of the cache that all workers share
  bool use_0x20 = true;                        // the letters' case as additional random bits (D1)
  // How long a failure is the answer to its question, so that a dead server does not cost every session the whole
  // timeout. With the last retry (two fifths of the timeout) it stays under the 5 s in which service has to be back
  // once a server is (R9).
  Duration failure_ttl = std::chrono::seconds(2);
  // Questions on their way at once, of one worker: each is a descriptor. What comes on top fails at once.
  std::uint64_t max_in_flight = 2000;
};

// The servers a resolv.conf names: the first three `nameserver` lines with an address, on port 53. Without one:
// 127.0.0.1, as resolv.conf(5) says.
std::vector<SocketAddress> servers_of_resolv_conf(std::string_view text);

}  // namespace sallyport::resolver
