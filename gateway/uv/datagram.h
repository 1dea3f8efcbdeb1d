// DatagramDialer: opens UDP sockets, each connected to one address and bound to a random port.
//
// A forged DNS answer has to guess the port as well as the question's id. The port is drawn from 1024 to 65535 with the
// kernel's random source; if ten draws fail, the kernel chooses one (threats.md D1).
#pragma once

#include <memory>

#include "gateway/io/datagram.h"

namespace sallyport::uv {

class Loop;

class DatagramDialer final : public io::DatagramDialer {
 public:
  explicit DatagramDialer(Loop& loop) noexcept : loop_(loop) {}

  Result<std::unique_ptr<io::Datagram>, io::Error> open(SocketAddress to) override;

 private:
  Loop& loop_;
};

}  // namespace sallyport::uv
