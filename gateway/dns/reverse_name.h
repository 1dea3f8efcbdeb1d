// The names at which addresses have their PTR records (RFC 1035, 3.5; RFC 3596, 2.5).
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/address.h"

namespace sallyport::dns {

// An address of 4 or 16 octets as labels, the last first: "1.2.0.192.", or the 32 nibbles, "1.0.[...]8.b.d.0.1.0.0.2.".
// Also used for questions to DNS lists (RFC 5782, 2.1 and 2.4).
std::string reverse_labels(std::string_view address_octets);

// "1.2.0.192.in-addr.arpa", or the 32 nibbles of an IPv6 address, the last first, below "ip6.arpa".
std::string reverse_name(const IpAddress& address);

}  // namespace sallyport::dns
