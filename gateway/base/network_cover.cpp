#include "gateway/base/network_cover.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport {

namespace {

using Octets = std::array<std::uint8_t, 16>;

IpAddress address_of(const Octets& octets, Family family) {
  if (family == Family::v4) return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
  return IpAddress::v6(octets);
}

// The network with these first `bits`: held whole by one of the others, or by both of its halves. There is no use in
// halves smaller than the smallest network that lies inside.
bool is_covered(const Octets& base, unsigned bits, const std::vector<IpNetwork>& networks, Family family) {
  const IpAddress address = address_of(base, family);
  bool has_smaller = false;
  for (const IpNetwork& network : networks) {
    if (network.base().is_v4() != (family == Family::v4)) continue;
    if (network.prefix_bits() <= bits && network.contains(address)) return true;
    if (network.prefix_bits() > bits && IpNetwork::of(address, bits).contains(network.base())) has_smaller = true;
  }
  if (!has_smaller) return false;
  Octets upper = base;
  upper[bits / 8] |= static_cast<std::uint8_t>(0x80u >> (bits % 8));
  return is_covered(base, bits + 1, networks, family) && is_covered(upper, bits + 1, networks, family);
}

}  // namespace

bool cover_all(const std::vector<IpNetwork>& networks, Family family) { return is_covered({}, 0, networks, family); }

}  // namespace sallyport
