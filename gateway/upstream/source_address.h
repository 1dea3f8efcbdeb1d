// The address that a connection to a server is made from, where the server is to see the client's own
// (upstreams.*.client_info = "tproxy").
//
// Not every client's address can be that of a connection to every server: an IPv4 connection has no IPv6 address, and a
// loopback address leaves no host. Such a client's mail goes over a connection of our own.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/endpoint.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::upstream {

struct ClientInfo;

// Why no connection to the server can be made from that address, in words; empty: one can.
std::string_view why_unseen(const IpAddress& client, const Endpoint& server);

// Nothing: our own address, as for any other way, and for ourselves (a null `client`).
std::optional<IpAddress> source_address(config::ClientInfoWay way, const ClientInfo* client, const Endpoint& server);

}  // namespace sallyport::upstream
