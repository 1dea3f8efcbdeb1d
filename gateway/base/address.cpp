#include "gateway/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "gateway/base/ensure.h"
#include "gateway/base/id.h"
#include "gateway/base/sip_hash.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2

unsigned width(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

// `address` with every bit after the prefix cleared.
IpAddress masked(const IpAddress& address, unsigned prefix_bits) {
  std::array<std::uint8_t, 16> octets{};
  std::string_view from = address.octets();
  for (unsigned i = 0; i < from.size(); ++i) {
    unsigned bits = std::min(8u, prefix_bits - std::min(prefix_bits, i * 8));
    octets[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(from[i]) & (0xff00u >> bits));
  }
  if (address.is_v4()) return IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
  return IpAddress::v6(octets);
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& octets) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), octets.begin())) {
    return v4({octets[12], octets[13], octets[14], octets[15]});
  }
  IpAddress address;
  address.v4_ = false;
  address.octets_ = octets;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton is strict enough; it needs a terminated copy, and a NUL inside must not end the text early.
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return std::nullopt;
  copy[text.copy(copy, text.size())] = '\0';
  std::array<std::uint8_t, 4> four;
  if (::inet_pton(AF_INET, copy, four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen;
  if (::inet_pton(AF_INET6, copy, sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (v4_) return octets_[0] == 127;
  constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return octets_ == one;
}

std::string_view IpAddress::octets() const {
  return {reinterpret_cast<const char*>(octets_.data()), v4_ ? std::size_t{4} : octets_.size()};
}

std::string IpAddress::to_string() const {
  if (v4_) {
    std::array<char, 15> text;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) text[length++] = '.';
      const unsigned octet = octets_[i];
      if (octet >= 100) text[length++] = static_cast<char>('0' + octet / 100);
      if (octet >= 10) text[length++] = static_cast<char>('0' + octet / 10 % 10);
      text[length++] = static_cast<char>('0' + octet % 10);
    }
    return {text.data(), length};
  }
  std::string out;
  // RFC 5952, 4: lower case, no leading zeros, "::" for the longest run of two or more zero groups, the first if
  // several are equal. inet_ntop is not used because it writes ::102:304 as ::1.2.3.4.
  std::array<unsigned, 8> groups;
  for (std::size_t i = 0; i < 8; ++i) groups[i] = octets_[2 * i] * 256u + octets_[2 * i + 1];
  std::size_t run_start = 8, run_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > run_length) {
      run_start = i;
      run_length = end - i;
    }
    i = end + 1;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      out += "::";
      i += run_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    bool leading = true;
    for (int shift = 12; shift >= 0; shift -= 4) {
      unsigned digit = (groups[i] >> shift) & 0xf;
      if (leading && digit == 0 && shift > 0) continue;
      leading = false;
      out += "0123456789abcdef"[digit];
    }
  }
  return out;
}

std::string IpAddress::to_literal() const { return (v4_ ? "[" : "[IPv6:") + to_string() + "]"; }

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  auto port = text::to_number(digits, UINT16_MAX);
  if (!port || digits.size() > 5) return std::nullopt;
  // Brackets are required for IPv6, where the port's colon would be ambiguous, and not allowed for IPv4.
  bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets != (host.find(':') != std::string_view::npos)) return std::nullopt;
  auto ip = IpAddress::parse(host);
  if (!ip) return std::nullopt;
  return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

std::optional<SocketAddress> SocketAddress::from(const ::sockaddr& address) {
  // Copied with memcpy, because the object behind the reference may have another type than its family says.
  if (address.sa_family == AF_INET) {
    ::sockaddr_in in;
    std::memcpy(&in, &address, sizeof in);
    std::array<std::uint8_t, 4> octets;
    std::memcpy(octets.data(), &in.sin_addr, octets.size());
    return SocketAddress{IpAddress::v4(octets), ntohs(in.sin_port)};
  }
  if (address.sa_family == AF_INET6) {
    ::sockaddr_in6 in;
    std::memcpy(&in, &address, sizeof in);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    return SocketAddress{IpAddress::v6(octets), ntohs(in.sin6_port)};
  }
  return std::nullopt;
}

std::uint32_t SocketAddress::to_sockaddr(::sockaddr_storage& out) const {
  out = {};
  std::string_view octets = ip.octets();
  if (ip.is_v4()) {
    ::sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, octets.data(), octets.size());
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  ::sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, octets.data(), octets.size());
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

std::string SocketAddress::to_string() const {
  std::string host = ip.is_v4() ? ip.to_string() : "[" + ip.to_string() + "]";
  return host + ":" + std::to_string(port);
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  std::string_view host = text.substr(0, slash);
  auto address = IpAddress::parse(host);
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return of(*address, width(*address));

  std::string_view digits = text.substr(slash + 1);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  auto prefix = text::to_number(digits, 128);
  if (!prefix) return std::nullopt;
  // ::ffff:10.0.0.0/104 means 10.0.0.0/8: parse() has made the address IPv4, so the prefix is converted too.
  bool was_mapped = address->is_v4() && host.find(':') != std::string_view::npos;
  if (was_mapped && *prefix < 96) return std::nullopt;
  auto prefix_bits = static_cast<unsigned>(was_mapped ? *prefix - 96 : *prefix);
  if (prefix_bits > width(*address) || masked(*address, prefix_bits) != *address) return std::nullopt;
  return of(*address, prefix_bits);
}

IpNetwork IpNetwork::of(const IpAddress& address, unsigned prefix_bits) {
  ensure(prefix_bits <= width(address), "IpNetwork: prefix longer than the address");
  IpNetwork network;
  network.base_ = masked(address, prefix_bits);
  network.prefix_bits_ = prefix_bits;
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  return address.is_v4() == base_.is_v4() && masked(address, prefix_bits_) == base_;
}

std::string IpNetwork::to_string() const { return base_.to_string() + "/" + std::to_string(prefix_bits_); }

}  // namespace sallyport

std::size_t std::hash<sallyport::IpAddress>::operator()(const sallyport::IpAddress& address) const noexcept {
  // Peers choose their addresses: without a secret key they could choose ones whose hashes collide.
  static const sallyport::HashKey key{sallyport::random_seed(), sallyport::random_seed()};
  sallyport::SipHash<1, 3> hash(key);
  std::string_view octets = address.octets();
  std::uint64_t words[2] = {};
  std::memcpy(words, octets.data(), octets.size());
  hash.add(words[0]);
  hash.add(words[1]);
  hash.add(octets.size());
  return hash.finish();
}
