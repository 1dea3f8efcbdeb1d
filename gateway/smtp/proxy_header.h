// Parses the PROXY protocol header, versions 1 and 2, which a trusted load balancer sends before anything else
// (threats.md S35).
//
// Bounded: version 1 is one line of at most 107 octets, version 2 at most 16 + 4096 octets. LOCAL and UNKNOWN mean that
// the connection's own address counts; the same holds for an address that is not TCP over IP. Source and destination
// are validated like any input from outside, but only the source is given. The TLVs of version 2 are skipped, except
// for the checksum, which must be right if present.
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
  std::optional<SocketAddress> source;  // nothing: use the connection's own address
  std::size_t consumed = 0;
};

enum class ProxyError : std::uint8_t { incomplete, invalid };

// `input` is everything received so far. `incomplete`: call again with more. Never `incomplete` when the octets cannot
// become a header any more.
Result<ProxyHeader, ProxyError> read_proxy_header(std::string_view input);

// True if the octets begin a PROXY header ("PROXY " or the signature of version 2); for peers that must not send one
// (S35).
bool is_proxy_header(std::string_view octets);

}  // namespace sallyport::smtp
