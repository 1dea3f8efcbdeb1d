// Which listening addresses stand in each other's way.
#pragma once

#include "gateway/base/address.h"

namespace sallyport {

// 0.0.0.0 or ::
bool is_any_address(const IpAddress& address);

// True if a connection to one of the two could also be meant for the other: the same port, and the same address or a
// wildcard. [::] stands for IPv4, too.
bool overlap(const SocketAddress& one, const SocketAddress& other);

}  // namespace sallyport
