// The client's address, as an MTA sends it and as a filter's xxfi_connect gets it.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string_view>

namespace sallyport::milter_library {

struct ConnectionAddress {
  std::string_view host;  // a NUL follows it
  bool is_known = false;
  ::sockaddr_storage address{};  // IPv4, IPv6 or a unix-domain path, when it is known
};

// Reads the data of the command `C`. Other than milter::decode_command() it keeps an IPv4-mapped IPv6 address as it is,
// since a filter sees the address of the MTA's socket. Nothing for what no MTA sends: an unknown family, an address
// that is none, a path that does not fit.
std::optional<ConnectionAddress> read_connection_address(std::string_view data);

}  // namespace sallyport::milter_library
