// Endpoint: where a server is, as a configuration names it: an address, a DNS name with a port, or a unix-domain
// socket.
//
// A name has no address of its own. at() gives one of the places it stands for: an address that remembers the name,
// which is what the server's TLS certificate is checked against.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/address.h"

namespace sallyport {

class Endpoint {
 public:
  Endpoint() = default;                                   // 0.0.0.0:0
  Endpoint(SocketAddress address) : address_(address) {}  // NOLINT(google-explicit-constructor): it is one
  // `path` is that of a unix-domain socket.
  static Endpoint unix_socket(std::string path);
  // `host` is a domain name (gateway/base/domain_name.h); it is kept in lower case.
  static Endpoint name(std::string_view host, std::uint16_t port);
  // "192.0.2.1:25", "[2001:db8::1]:25", "mail.example.com:25", "unix:/run/lmtp". Without a port: `default_port`. A name
  // may end with a dot, which is dropped; a name whose last label has only digits is none.
  static std::optional<Endpoint> parse(std::string_view text, std::uint16_t default_port);

  bool is_unix() const { return !path_.empty(); }
  // True for a name that has still to be looked up.
  bool is_name() const { return !has_address_; }
  // The address; 0.0.0.0:0 for a unix-domain socket.
  const SocketAddress& address() const { return address_; }
  // The path of a unix-domain socket, else empty.
  const std::string& path() const { return path_; }
  // The name, also that of an address which at() gave; else empty.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return address_.port; }
  // The name's server with that address.
  Endpoint at(const IpAddress& ip) const;

  // What a certificate of the server is to bear: the name, else the address; empty for a unix-domain socket.
  std::string certificate_name() const;
  // "192.0.2.1:25" also for an address that has a name; "mail.example.com:25", "unix:/run/lmtp".
  std::string to_string() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;

 private:
  SocketAddress address_;  // of a name: only the port
  bool has_address_ = true;
  std::string host_;
  std::string path_;
};

}  // namespace sallyport
