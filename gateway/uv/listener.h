// Listener: accepts connections on a bound socket and passes them to a callback.
//
// When descriptors run short (none left, nine tenths of RLIMIT_NOFILE in use, or fewer left than whoever owns the
// listener wants for one more connection), it stops accepting and checks again every 100 ms, so that the loop does not
// spin and running sessions can finish (threats.md R4). The kernel queues new connections meanwhile.
#pragma once

#include <functional>
#include <memory>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/io/stream.h"
#include "gateway/uv/bound_socket.h"

namespace sallyport::uv {

class Loop;

class Listener {
 public:
  // Called on the loop's thread for each connection. It starts the session (in a nursery) and returns. For a
  // unix-domain connection both addresses are meaningless. If it throws, that connection is closed and nothing else
  // happens.
  using Accepted = std::function<void(std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local)>;

  // Of retire(), from its beginning.
  struct Patience {
    Duration least;
    Duration most;
  };

  // Asked after each connection, on the loop's thread: whether the next one may be accepted.
  using HasRoom = std::function<bool()>;

  Listener(Loop& loop, BoundSocket socket, Accepted accepted, HasRoom has_room = {});
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { stop(); }

  const SocketAddress& address() const noexcept { return address_; }
  // Stops accepting and closes the socket; the kernel resets connections that wait to be accepted. May be called again.
  void stop() noexcept;
  // BoundSocket::leave_file().
  void leave_file() noexcept;
  // stop() for an address that is no longer served, without a reset: from now on the kernel ignores new clients. Those
  // whose TCP handshake is done or under way are accepted: for as long as patience.least, and then until the kernel
  // knows of no handshake with the address, but not for longer than patience.most in all. The Listener stays alive
  // until the task has ended; ending the task early leaves it as it is, for stop(). Where `most` is longer than
  // `least`, the loop has a work pool.
  //
  // A socket that somebody else keeps (Keeper) is just let go of: who waits there is served by the next process.
  //
  // Other sockets may share the address (SO_REUSEPORT). Their clients' handshakes cannot be told from ours, so they may
  // make us wait up to `most`; nothing else happens to them. A client whom the kernel gives to this socket meanwhile
  // begins again after a second, and as often until the socket is closed; then one of the others has him.
  Task<void> retire(Patience patience);

 private:
  class Accepting;

  SocketAddress address_;
  Accepting* accepting_;
};

}  // namespace sallyport::uv
