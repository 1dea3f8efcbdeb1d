// MemoryNetwork: an io::DatagramDialer whose servers are a function of the test.
//
// The function gets each packet and returns the packets that come back, with their delays: none, one, or many (also
// those of a spoofer).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/wait.h"
#include "gateway/base/address.h"
#include "gateway/io/datagram.h"

namespace sallyport::support {

struct MemoryPacket {
  std::string octets;
  Duration after{};  // how long after the question it arrives
};

class MemoryNetwork final : public io::DatagramDialer {
 public:
  using Responder = std::function<std::vector<MemoryPacket>(SocketAddress to, std::string_view packet)>;
  struct Sent {
    SocketAddress to;
    std::string packet;
    Time at;
    std::size_t socket;  // number of the socket that sent it, in the order of opening, from 0
  };

  // Without a responder no packet is answered.
  explicit MemoryNetwork(async::Scheduler& scheduler, Responder responder = {})
      : scheduler_(scheduler), responder_(std::move(responder)) {}

  void set_responder(Responder responder) { responder_ = std::move(responder); }
  // Sets the error of open(), or of send() and receive() on open sockets; nothing: they succeed.
  void fail_open(std::optional<io::Error> error) { open_error_ = error; }
  void fail_traffic(std::optional<io::Error> error) { traffic_error_ = error; }

  Result<std::unique_ptr<io::Datagram>, io::Error> open(SocketAddress to) override;

  const std::vector<Sent>& sent() const { return sent_; }
  std::size_t sockets_opened() const { return sockets_opened_; }
  std::size_t sockets_open() const { return sockets_open_; }

 private:
  class Socket;

  async::Scheduler& scheduler_;
  Responder responder_;
  std::optional<io::Error> open_error_;
  std::optional<io::Error> traffic_error_;
  std::vector<Sent> sent_;
  std::size_t sockets_opened_ = 0;
  std::size_t sockets_open_ = 0;
};

}  // namespace sallyport::support
