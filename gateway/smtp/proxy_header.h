// The PROXY protocol header, versions 1 and 2, which a trusted load balancer sends before anything else (threats.md
// S35).
//
// Bounded: version 1 is one line of at most 107 octets, version 2 at most 16 + 4096 octets. LOCAL and UNKNOWN mean
// "take the connection's own address", and so does an address that is not of TCP over IP. The addresses are validated
// as if a stranger had typed them; the TLVs of version 2 are passed over, but for the checksum, which has to be right
// where there is one.
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
  std::optional<SocketAddress> source;  // nothing: LOCAL or UNKNOWN
  std::optional<SocketAddress> destination;
  std::size_t consumed = 0;
};

enum class ProxyError : std::uint8_t { incomplete, invalid };

// Looks at all input so far; `incomplete` asks for more. Never `incomplete` when the octets so far cannot become a
// header.
Result<ProxyHeader, ProxyError> read_proxy_header(std::string_view input);

// The first octets of a PROXY header, from a peer that must not send one (S35): "PROXY " or the signature of version 2.
bool is_proxy_header(std::string_view octets);

}  // namespace sallyport::smtp
