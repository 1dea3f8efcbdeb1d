// Network addresses: one IP address, an address with its port, and a network in CIDR notation.
//
// An IPv4-mapped IPv6 address is the IPv4 address it maps, everywhere (a dual-stack listener sees clients that way).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;
struct sockaddr_storage;

namespace sallyport {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> octets);
  static IpAddress v6(const std::array<std::uint8_t, 16>& octets);  // a mapped one becomes v4
  // "192.0.2.1" or "2001:db8::1": strict (no leading zeros, no zone), without brackets.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  bool is_loopback() const;
  // In network order: 4 or 16 octets.
  std::string_view octets() const;
  std::string to_string() const;  // RFC 5952 for IPv6
  // As in an SMTP address literal: [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321, 4.1.3).
  std::string to_literal() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> octets_{};  // the first four count for v4
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  // "192.0.2.1:25", "[2001:db8::1]:25"; never a name.
  static std::optional<SocketAddress> parse(std::string_view text);
  static std::optional<SocketAddress> from(const ::sockaddr& address);  // nothing when it is not IP
  std::uint32_t to_sockaddr(::sockaddr_storage& out) const;             // gives its length
  std::string to_string() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32"; a lone address is its /32 or /128. Bits past the prefix must be zero.
  static std::optional<IpNetwork> parse(std::string_view text);
  static IpNetwork of(const IpAddress& address, unsigned prefix_bits);  // the network around an address
  bool contains(const IpAddress& address) const;
  const IpAddress& base() const { return base_; }
  unsigned prefix_bits() const { return prefix_bits_; }
  std::string to_string() const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
  IpAddress base_;
  unsigned prefix_bits_ = 0;
};

}  // namespace sallyport

template <>
struct std::hash<sallyport::IpAddress> {
  std::size_t operator()(const sallyport::IpAddress& address) const noexcept;  // seeded per process (threats.md I6)
};
