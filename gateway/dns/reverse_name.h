// The names under which addresses have their PTR records (RFC 1035, 3.5; RFC 3596, 2.5).
#pragma once

#include <string>

#include "gateway/base/address.h"

namespace sallyport::dns {

// "1.2.0.192.in-addr.arpa", or the 32 nibbles of an IPv6 address, the last first, below "ip6.arpa".
std::string reverse_name(const IpAddress& address);

}  // namespace sallyport::dns
