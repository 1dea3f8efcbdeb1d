#include "gateway/config/own_doors.h"

#include <ifaddrs.h>

#include <algorithm>

#include "gateway/base/address_overlap.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {

namespace {

bool is_of_this_host(const IpAddress& address, const std::vector<IpAddress>& own_addresses) {
  if (address.is_loopback()) return true;
  return std::find(own_addresses.begin(), own_addresses.end(), address) != own_addresses.end();
}

std::vector<SocketAddress> addresses(const Endpoint& server, const AddressesOf& addresses_of) {
  std::vector<SocketAddress> found;
  if (server.is_unix()) return found;
  if (!server.is_name()) return {server.address()};
  if (!addresses_of) return found;
  for (const IpAddress& ip : addresses_of(server.host())) found.push_back({ip, server.port()});
  return found;
}

}  // namespace

std::vector<IpAddress> addresses_of_this_host() {
  std::vector<IpAddress> found;
  ::ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ::ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (const auto address = SocketAddress::from(*entry->ifa_addr)) found.push_back(address->ip);
  }
  ::freeifaddrs(list);
  return found;
}

bool leads_to(const SocketAddress& server, const SocketAddress& listener, const std::vector<IpAddress>& own_addresses) {
  if (server.port != listener.port) return false;
  if (server.ip == listener.ip) return true;
  // A connection to 0.0.0.0 or [::] goes to the loopback.
  const IpAddress any_v6 = *IpAddress::parse("::");
  if (is_any_address(server.ip)) {
    const bool same_family = server.ip.is_v4() == listener.ip.is_v4() || listener.ip == any_v6;
    return same_family && (is_any_address(listener.ip) || listener.ip.is_loopback());
  }
  const bool takes_its_family = listener.ip == any_v6 || (listener.ip == IpAddress() && server.ip.is_v4());
  return takes_its_family && is_of_this_host(server.ip, own_addresses);
}

ConfigErrors find_own_doors(const Loaded& loaded, const std::string& config_file,
                            const std::vector<IpAddress>& own_addresses, const AddressesOf& addresses_of) {
  ConfigErrors errors;
  const Settings& settings = *loaded.settings;
  for (const auto& [name, upstream] : settings.upstreams) {
    for (const Endpoint& server : upstream.servers) {
      const ListenSettings* door = nullptr;
      for (const SocketAddress& address : addresses(server, addresses_of)) {
        for (const ListenSettings& listener : settings.listen) {
          const bool is_met =
              !listener.address.is_unix() && leads_to(address, listener.address.address(), own_addresses);
          if (is_met) door = &listener;
        }
      }
      for (const ListenSettings& listener : settings.listen) {
        if (server.is_unix() && server == listener.address) door = &listener;
      }
      if (door == nullptr) continue;
      Origin at = loaded.origin_of(full_path("upstreams.*.servers", {name}));
      if (at.is_default()) at = {config_file, 1, 1};
      errors.push_back({std::move(at), server.to_string() + " is this gateway's own listener " +
                                           door->address.to_string() +
                                           ": its mail would come back to it; name the mail server behind it"});
    }
  }
  return errors;
}

}  // namespace sallyport::config
