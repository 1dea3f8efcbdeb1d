// Where the MTA finds the filter: smfi_setconn()'s text, and the socket that listens there.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"

namespace sallyport::milter_library {

struct SocketPlace {
  enum class Family { unix_domain, ipv4, ipv6 };
  Family family = Family::unix_domain;
  std::string path;  // of a unix-domain socket
  std::string host;  // empty: every address of the machine
  std::string port;  // a number or a service's name
};

// "unix:/path", "local:/path", a path without a colon; "inet:port", "inet:port@host", "inet:port@[address]"; the same
// with "inet6:".
Result<SocketPlace> parse_socket_place(std::string_view text);

struct ListeningSocket {
  Descriptor descriptor;  // does not block, is closed on exec
  std::string path;       // of the unix-domain socket that was made
  ::dev_t device = 0;     // of that path, so that only what was made here is removed
  ::ino_t inode = 0;
};

// Asks the resolver for the host's name, and blocks meanwhile. `removes_old`: a unix-domain socket that is there
// already goes first.
Result<ListeningSocket> listen_at(const SocketPlace& place, int backlog, bool removes_old);

// Removes the unix-domain socket from its folder. Not as root, as libmilter: the folder may be anybody's.
void remove_path(const ListeningSocket& socket);

}  // namespace sallyport::milter_library
