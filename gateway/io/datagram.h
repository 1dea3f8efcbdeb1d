// Datagram: one UDP socket, connected to one address and bound to a random port that we choose (threats.md D1: the
// kernel's own choice covers only half of the range).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"

namespace sallyport::io {

class Datagram {
 public:
  virtual ~Datagram() = default;
  virtual Task<Result<Done, Error>> send(std::string_view packet, Time deadline) = 0;
  // Waits for the next packet from the connected address; up to 4096 octets, what is longer is cut off. An ICMP error
  // (nobody listens on the port) is returned as `refused`. timed_out when the deadline passes first.
  virtual Task<Result<std::string, Error>> receive(Time deadline) = 0;
};

class DatagramDialer {
 public:
  virtual ~DatagramDialer() = default;
  virtual Result<std::unique_ptr<Datagram>, Error> open(SocketAddress to) = 0;
};

}  // namespace sallyport::io
