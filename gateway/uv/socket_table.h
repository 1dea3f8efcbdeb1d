// What the kernel says of this machine's TCP sockets: /proc/self/net/tcp and tcp6. Blocks: not for a loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "gateway/base/address.h"

namespace sallyport::uv {

struct SocketRow {
  enum class State : std::uint8_t {
    listening,
    handshake,  // a client's SYN has come, the last packet of the handshake has not; `local` is the listener's address
    other,
  };
  SocketAddress local;
  State state = State::other;
  unsigned uid = 0;
  std::uint64_t inode = 0;
};

// Nothing for a line that is no row, such as the headings.
std::optional<SocketRow> read_socket_row(std::string_view line);

// Calls `look` for each socket, until it returns true. False: not even the headings could be read.
bool read_socket_table(const std::function<bool(const SocketRow& row)>& look);

// Whether TCP handshakes with a listening address are under way. As soon as one is complete, its client waits to be
// accepted; where the socket has been closed by then, the client gets a reset, in its connect() or after it. True too
// where that cannot be found out.
bool may_have_handshakes(const SocketAddress& listener);

}  // namespace sallyport::uv
