// Listener: accepts connections on a bound socket and hands them on.
//
// When descriptors run short (none left, or nine tenths of RLIMIT_NOFILE in use) it stops accepting and looks again
// every 100 ms: no spinning, and what runs can finish (threats.md R4). The kernel keeps newcomers waiting meanwhile.
#pragma once

#include <functional>
#include <memory>

#include "gateway/base/address.h"
#include "gateway/io/stream.h"
#include "gateway/uv/bound_socket.h"

namespace sallyport::uv {

class Loop;

class Listener {
 public:
  // Called on the loop's thread for each connection; the addresses of a unix-domain connection say nothing. It starts
  // the session (in a nursery) and returns. What it throws costs that connection and nothing else.
  using Accepted = std::function<void(std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local)>;

  Listener(Loop& loop, BoundSocket socket, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { stop(); }

  const SocketAddress& address() const noexcept { return address_; }
  // Accepts no more and closes the socket; harmless when called again.
  void stop() noexcept;

 private:
  class Accepting;

  SocketAddress address_;
  Accepting* accepting_;
};

}  // namespace sallyport::uv
