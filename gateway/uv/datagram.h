// DatagramDialer: UDP sockets, each connected to one address and bound by us to a random port.
//
// A forged answer has to guess the port beside the question's id, so the port is drawn from all of 1024 to 65535 by the
// kernel's random source; only when ten draws were taken does the kernel choose (threats.md D1).
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
