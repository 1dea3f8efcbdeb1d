// The PROXY protocol header, versions 1 and 2: the first octets of a connection, by which a load balancer says on whose
// behalf it connects. Read from trusted peers (threats.md S35), and written to the servers behind us.
//
// Reading is bounded: version 1 is one line of at most 107 octets, version 2 at most 16 + 4096 octets. LOCAL and
// UNKNOWN mean that the connection's own address counts; the same holds for an address that is not TCP over IP. Source
// and destination are validated like any input from outside. The TLVs of version 2 are skipped, except for the
// checksum, which must be right if present.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/result.h"

namespace sallyport::smtp {

struct ProxyHeader {
  // Nothing: use the connection's own addresses. Both are given, or none.
  std::optional<SocketAddress> source;
  std::optional<SocketAddress> destination;
  std::size_t consumed = 0;
};

enum class ProxyError : std::uint8_t { incomplete, invalid };

// `input` is everything received so far. `incomplete`: call again with more. Never `incomplete` when the octets cannot
// become a header any more.
Result<ProxyHeader, ProxyError> read_proxy_header(std::string_view input);

// True if the octets begin a PROXY header ("PROXY " or the signature of version 2); for peers that must not send one
// (S35).
bool is_proxy_header(std::string_view octets);

enum class ProxyVersion : std::uint8_t { v1, v2 };
// The header of a connection made for a client at `source` that had connected to `destination`. An IPv4 address is
// written as IPv6 where the other one is IPv6.
std::string proxy_header(ProxyVersion version, const SocketAddress& source, const SocketAddress& destination);
// The header of a connection made for nobody but ourselves: UNKNOWN in version 1, LOCAL in version 2.
std::string own_proxy_header(ProxyVersion version);

}  // namespace sallyport::smtp
