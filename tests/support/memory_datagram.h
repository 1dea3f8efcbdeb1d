// MemoryNetwork: an io::DatagramDialer whose servers are a function of the test.
//
// The function is given each packet and says what comes back, and when: nothing, one packet, or many (a spoofer's too).
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
  Duration after{};  // how long it takes to arrive
};

class MemoryNetwork final : public io::DatagramDialer {
 public:
  using Responder = std::function<std::vector<MemoryPacket>(SocketAddress to, std::string_view packet)>;
  struct Sent {
    SocketAddress to;
    std::string packet;
    Time at;
    std::size_t socket;  // the how manieth socket that was opened sent it, from 0
  };

  // Without a responder nobody answers.
  explicit MemoryNetwork(async::Scheduler& scheduler, Responder responder = {})
      : scheduler_(scheduler), responder_(std::move(responder)) {}

  void set_responder(Responder responder) { responder_ = std::move(responder); }
  // What open() gives, or send() and receive() on sockets that are open; nothing: all is well.
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
