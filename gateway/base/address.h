// IpAddress, SocketAddress (an address with its port) and IpNetwork (CIDR notation).
//
// An IPv4-mapped IPv6 address is always treated as the IPv4 address (a dual-stack listener reports clients that way).
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
  static IpAddress v6(const std::array<std::uint8_t, 16>& octets);  // an IPv4-mapped address becomes IPv4
  // "192.0.2.1" or "2001:db8::1": strict (no leading zeros, no zone), without brackets.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  bool is_loopback() const;
  // 4 or 16 octets in network order.
  std::string_view octets() const;
  std::string to_string() const;  // IPv6 as in RFC 5952
  // As an SMTP address literal: [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321, 4.1.3).
  std::string to_literal() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> octets_{};  // IPv4 uses the first four
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  // "192.0.2.1:25" or "[2001:db8::1]:25"; host names are not accepted.
  static std::optional<SocketAddress> parse(std::string_view text);
  static std::optional<SocketAddress> from(const ::sockaddr& address);  // nothing if the family is not IP
  std::uint32_t to_sockaddr(::sockaddr_storage& out) const;             // returns the length in octets
  std::string to_string() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32"; an address without a prefix is its /32 or /128. Bits after the prefix must be zero.
  static std::optional<IpNetwork> parse(std::string_view text);
  static IpNetwork of(const IpAddress& address, unsigned prefix_bits);  // the network that contains the address
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
  // with a random key per process (threats.md I6)
  std::size_t operator()(const sallyport::IpAddress& address) const noexcept;
};
