// Finds servers of an upstream that are listeners of this gateway: each mail would come back to its own door, once more
// for each connection that may be opened.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/config/config_error.h"
#include "gateway/config/load.h"

namespace sallyport::config {

// The addresses of this host's interfaces.
std::vector<IpAddress> addresses_of_this_host();

// True if a connection to `server` reaches what listens at `listener`, on a host with these addresses.
bool leads_to(const SocketAddress& server, const SocketAddress& listener, const std::vector<IpAddress>& own_addresses);

// The addresses that a server's name stands for.
using AddressesOf = std::function<std::vector<IpAddress>(std::string_view name)>;

// One error for each server, at the place where it is named. Without `addresses_of` servers by name are left out.
ConfigErrors find_own_doors(const Loaded& loaded, const std::string& config_file,
                            const std::vector<IpAddress>& own_addresses, const AddressesOf& addresses_of = {});

}  // namespace sallyport::config
