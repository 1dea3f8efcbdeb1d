#include "gateway/milter_library/connection_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "gateway/milter/connect_text.h"

namespace sallyport::milter_library {

namespace {

// Copies, since a sockaddr_storage holds the others' octets.
template <class Address>
void put(::sockaddr_storage& out, const Address& address) {
  static_assert(sizeof address <= sizeof out);
  std::memcpy(&out, &address, sizeof address);
}

bool read_ipv4(std::string_view text, std::uint16_t port, ::sockaddr_storage& out) {
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address.sin_addr) != 1) return false;
  put(out, address);
  return true;
}

bool read_ipv6(std::string_view text, std::uint16_t port, ::sockaddr_storage& out) {
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

bool read_address(const milter::ConnectText& client, ::sockaddr_storage& out) {
  switch (client.family) {
    case milter::ClientFamily::ipv4:
      return read_ipv4(client.address, client.port, out);
    case milter::ClientFamily::ipv6:
      return read_ipv6(client.address, client.port, out);
    case milter::ClientFamily::unix_domain:
      return read_path(client.address, out);
    case milter::ClientFamily::unknown:
      break;
  }
  return false;
}

}  // namespace

std::optional<ConnectionAddress> read_connection_address(std::string_view octets) {
  milter::DataReader data(octets);
  const auto client = milter::take_connect_text(data);
  if (!client) return std::nullopt;
  ConnectionAddress connection;
  connection.host = client->host;
  if (client->family == milter::ClientFamily::unknown) return connection;
  connection.is_known = read_address(*client, connection.address);
  if (!connection.is_known) return std::nullopt;
  return connection;
}

}  // namespace sallyport::milter_library
