// HostsTable: what a hosts file (/etc/hosts, hosts(5)) says, by name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"

namespace sallyport::upstream {

class HostsTable {
 public:
  HostsTable() = default;
  // Lines that are malformed, and addresses with a zone ("fe80::1%eth0"), are skipped.
  static HostsTable parse(std::string_view text);
  // Parses the file; an empty table when it cannot be read. It waits for the disk.
  static HostsTable read(const std::string& path = "/etc/hosts");

  // The addresses of the name; the case does not matter. "localhost" and names below it have those of loopback when the
  // file does not know them (RFC 6761, 6.3). Empty: the name is to be asked for in DNS.
  std::vector<IpAddress> find(std::string_view name) const;

 private:
  std::map<std::string, std::vector<IpAddress>, std::less<>> addresses_;  // names in lower case
};

}  // namespace sallyport::upstream
