#include "gateway/dns/reverse_name.h"

#include <cstdint>

namespace sallyport::dns {

std::string reverse_labels(std::string_view address_octets) {
  const bool is_v4 = address_octets.size() == 4;
  std::string labels;
  labels.reserve(is_v4 ? 16 : 64);
  for (auto at = address_octets.rbegin(); at != address_octets.rend(); ++at) {
    const auto octet = static_cast<std::uint8_t>(*at);
    if (is_v4) {
      labels += std::to_string(octet);
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      labels += digits[octet & 0xf];
      labels += '.';
      labels += digits[octet >> 4];
    }
    labels += '.';
  }
  return labels;
}

std::string reverse_name(const IpAddress& address) {
  return reverse_labels(address.octets()) + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace sallyport::dns
