#include "gateway/dns/reverse_name.h"

#include <cstdint>

namespace sallyport::dns {

std::string reverse_name(const IpAddress& address) {
  const std::string_view octets = address.octets();
  std::string name;
  for (auto at = octets.rbegin(); at != octets.rend(); ++at) {
    const auto octet = static_cast<std::uint8_t>(*at);
    if (address.is_v4()) {
      name += std::to_string(octet);
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      name += digits[octet & 0xf];
      name += '.';
      name += digits[octet >> 4];
    }
    name += '.';
  }
  return name + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace sallyport::dns
