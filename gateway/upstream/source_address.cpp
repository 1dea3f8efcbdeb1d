#include "gateway/upstream/source_address.h"

#include <array>

#include "gateway/upstream/client_info.h"

namespace sallyport::upstream {

namespace {

// Addresses that no host connects from, whatever a PROXY header or XCLIENT says.
bool is_of_no_host(const IpAddress& address) {
  static const auto networks = std::to_array<IpNetwork>({
      *IpNetwork::parse("0.0.0.0/8"), *IpNetwork::parse("224.0.0.0/3"),  // with multicast: reserved, broadcast
      *IpNetwork::parse("::/128"), *IpNetwork::parse("ff00::/8"),
      *IpNetwork::parse("fe80::/10"),  // it names a host together with an interface only
  });
  for (const IpNetwork& network : networks) {
    if (network.contains(address)) return true;
  }
  return false;
}

}  // namespace

std::string_view why_unseen(const IpAddress& client, const Endpoint& server) {
  if (server.is_unix()) return "a unix-domain socket has no client address";
  const IpAddress& ip = server.address().ip;
  if (client.is_v4() != ip.is_v4()) {
    return ip.is_v4() ? "an IPv6 client cannot be seen over IPv4" : "an IPv4 client cannot be seen over IPv6";
  }
  if (client.is_loopback() && !ip.is_loopback()) return "a client on this host cannot be seen by another";
  if (is_of_no_host(client)) return "the client's address is none of a host";
  return {};
}

std::optional<IpAddress> source_address(config::ClientInfoWay way, const ClientInfo* client, const Endpoint& server) {
  if (way != config::ClientInfoWay::tproxy || client == nullptr) return std::nullopt;
  if (!why_unseen(client->address.ip, server).empty()) return std::nullopt;
  return client->address.ip;
}

}  // namespace sallyport::upstream
