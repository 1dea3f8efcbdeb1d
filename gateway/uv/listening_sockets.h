// Who listens on this machine, and where: what the kernel says in /proc/net/tcp and tcp6.
//
// SO_REUSEPORT lets another process of the same user listen at an address of ours, and the kernel would deal the
// connections out between the two (threats.md R18). So what bind(2) permits does not tell whether an address is ours
// alone. Blocks on /proc: not for a loop's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/base/address.h"

namespace sallyport::uv {

// A listening socket of another process.
struct ForeignListener {
  SocketAddress address;
  std::uint64_t inode = 0;
  unsigned uid = 0;
};

// A socket that another process listens with at this address, or at one that overlaps it. Nothing when there is none,
// or when /proc cannot be read. A [::] that serves IPv6 alone cannot be told from one that serves both; bind(2) can.
std::optional<ForeignListener> find_foreign_listener(const SocketAddress& address);

// True if a service manager (systemd) holds it, for a service that it starts with that socket. False also when this
// user may not look: then the socket is one of root's, and any process of root's could have it.
bool is_of_service_manager(const ForeignListener& listener);

// True if a process of this program holds it, as far as this user may see that.
bool is_of_this_program(const ForeignListener& listener);

// For people: "postfix/master (process 123)", as far as this user may see that, else "a process of user 33".
std::string describe(const ForeignListener& listener);

}  // namespace sallyport::uv
