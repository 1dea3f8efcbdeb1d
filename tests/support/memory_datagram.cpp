#include "tests/support/memory_datagram.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sallyport::support {

using io::Error;

namespace {
constexpr std::size_t most_packet_octets = 4096;
}

class MemoryNetwork::Socket final : public io::Datagram {
 public:
  Socket(MemoryNetwork& network, SocketAddress to)
      : network_(network), to_(to), number_(network.sockets_opened_++), news_(network.scheduler_) {
    ++network_.sockets_open_;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override { --network_.sockets_open_; }

  Task<Result<Done, Error>> send(std::string_view packet, Time) override {
    if (network_.traffic_error_) co_return *network_.traffic_error_;
    Time now = network_.scheduler_.now();
    network_.sent_.push_back(Sent{to_, std::string(packet), now, number_});
    if (network_.responder_) {
      for (MemoryPacket& answer : network_.responder_(to_, packet)) {
        coming_.emplace(now + answer.after, std::move(answer.octets));
      }
      news_.notify();
    }
    co_return Done{};
  }

  Task<Result<std::string, Error>> receive(Time deadline) override {
    while (true) {
      if (network_.traffic_error_) co_return *network_.traffic_error_;
      Time now = network_.scheduler_.now();
      Time until = deadline;
      if (auto first = coming_.begin(); first != coming_.end()) {
        if (first->first <= now) {
          std::string packet = std::move(first->second);
          coming_.erase(first);
          if (packet.size() > most_packet_octets) packet.resize(most_packet_octets);
          co_return packet;
        }
        until = std::min(deadline, first->first);
      }
      if (deadline <= now) co_return Error::timed_out;
      co_await news_.wait(until);
    }
  }

 private:
  MemoryNetwork& network_;
  SocketAddress to_;
  std::size_t number_;
  std::multimap<Time, std::string> coming_;
  async::Signal news_;
};

Result<std::unique_ptr<io::Datagram>, Error> MemoryNetwork::open(SocketAddress to) {
  if (open_error_) return *open_error_;
  return std::unique_ptr<io::Datagram>(std::make_unique<Socket>(*this, to));
}

}  // namespace sallyport::support
