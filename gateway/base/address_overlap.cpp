#include "gateway/base/address_overlap.h"

namespace sallyport {

namespace {

bool is_any_v6(const IpAddress& address) { return address == IpAddress::v6({}); }

}  // namespace

bool is_any_address(const IpAddress& address) { return address == IpAddress() || is_any_v6(address); }

bool overlap(const SocketAddress& one, const SocketAddress& other) {
  if (one.port != other.port) return false;
  if (one.ip == other.ip) return true;
  if (is_any_v6(one.ip) || is_any_v6(other.ip)) return true;
  return one.ip.is_v4() == other.ip.is_v4() && (is_any_address(one.ip) || is_any_address(other.ip));
}

}  // namespace sallyport
