#include "gateway/milter_library/connection_address.h"

#include <arpa/inet.h>
#include <libmilter/mfdef.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "gateway/milter/packet.h"

namespace sallyport::milter_library {

namespace {

constexpr std::string_view ipv6_tag = "IPv6:";

// Copies, since a sockaddr_storage holds the others' octets.
template <class Address>
void put(::sockaddr_storage& out, const Address& address) {
  static_assert(sizeof address <= sizeof out);
  std::memcpy(&out, &address, sizeof address);
}

bool read_ipv4(const std::string& text, std::uint16_t port, ::sockaddr_storage& out) {
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) return false;
  put(out, address);
  return true;
}

bool read_ipv6(std::string_view text, std::uint16_t port, ::sockaddr_storage& out) {
  if (text.starts_with(ipv6_tag)) text.remove_prefix(ipv6_tag.size());
  ::sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, std::string(text).c_str(), &address.sin6_addr) != 1) return false;
  put(out, address);
  return true;
}

bool read_path(std::string_view path, ::sockaddr_storage& out) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  put(out, address);
  return true;
}

}  // namespace

std::optional<ConnectionAddress> read_connection_address(std::string_view octets) {
  milter::DataReader data(octets);
  ConnectionAddress connection;
  char family = 0;
  if (!data.text(connection.host) || !data.letter(family)) return std::nullopt;
  if (family == SMFIA_UNKNOWN) return connection;
  std::uint16_t port = 0;
  std::string_view text;
  if (!data.u16(port) || !data.text(text)) return std::nullopt;
  bool is_read = false;
  if (family == SMFIA_INET) is_read = read_ipv4(std::string(text), port, connection.address);
  if (family == SMFIA_INET6) is_read = read_ipv6(text, port, connection.address);
  if (family == SMFIA_UNIX) is_read = read_path(text, connection.address);
  if (!is_read) return std::nullopt;
  connection.is_known = true;
  return connection;
}

}  // namespace sallyport::milter_library
