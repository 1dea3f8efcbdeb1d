#include "gateway/uv/datagram.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <deque>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/uv/descriptor.h"
#include "gateway/uv/errors.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

using io::Error;

namespace {

constexpr std::size_t most_packet_octets = 4096;
constexpr std::size_t most_packets_kept = 32;
constexpr std::uint16_t first_port = 1024;  // those below need privileges
constexpr std::size_t port_draws = 10;

// A packet, or why there is none.
using Received = Result<std::string, Error>;

}  // namespace

// The part of a Datagram that must live until libuv has closed the handle.
class DatagramHandle final : public Handle {
 public:
  DatagramHandle(Loop& loop, Descriptor socket) : loop_(loop), socket_(std::move(socket)), news_(loop.scheduler()) {
    ensure(uv_poll_init(loop.raw(), &poll_, socket_.get()) == 0, "Datagram: the socket cannot be watched");
    own(reinterpret_cast<uv_handle_t*>(&poll_));
    watch();
  }

  int descriptor() const noexcept { return socket_.get(); }
  async::Signal& news() noexcept { return news_; }
  std::optional<Received> next() {
    if (received_.empty()) return std::nullopt;
    Received first = std::move(received_.front());
    received_.pop_front();
    return first;
  }
  void release() noexcept {
    released_ = true;
    if (gone_) {
      delete this;
    } else {
      close_handle();
      socket_.reset();
    }
  }

 private:
  void watch() noexcept {
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
      static_cast<DatagramHandle*>(static_cast<Handle*>(poll->data))->on_readable(status);
    });
  }

  // Reads one packet per turn; if there are more, the socket is readable again at once. Packets are read even if no
  // coroutine waits, because the loop would otherwise report the socket as readable for ever.
  void on_readable(int status) noexcept {
    Turn turn(loop_);
    std::array<char, most_packet_octets> packet;
    ssize_t length = ::recv(socket_.get(), packet.data(), packet.size(), 0);
    int error = errno;
    // libuv stops polling at an error (such as ICMP port unreachable); recv() has just returned and cleared it
    if (status < 0) watch();
    if (length < 0 && (error == EAGAIN || error == EINTR)) return;
    if (received_.size() >= most_packets_kept) return;  // the reader is too slow: drop it, as the network may
    try {
      if (length < 0) {
        received_.emplace_back(error_of(-error));
      } else {
        received_.emplace_back(std::string(packet.data(), static_cast<std::size_t>(length)));
      }
    } catch (const std::bad_alloc&) {
      return;  // without memory the packet is dropped, as the network may
    }
    news_.notify();
  }

  void closed() noexcept override {
    gone_ = true;
    if (released_) delete this;
  }

  Loop& loop_;
  Descriptor socket_;
  uv_poll_t poll_;
  std::deque<Received> received_;
  async::Signal news_;
  bool released_ = false;
  bool gone_ = false;
};

namespace {

class Datagram final : public io::Datagram {
 public:
  Datagram(Loop& loop, Descriptor socket) : handle_(*new DatagramHandle(loop, std::move(socket))) {}
  Datagram(const Datagram&) = delete;
  Datagram& operator=(const Datagram&) = delete;
  ~Datagram() override { handle_.release(); }

  // A datagram is sent or fails at once; the deadline is never needed.
  Task<Result<Done, Error>> send(std::string_view packet, Time) override {
    ssize_t sent = ::send(handle_.descriptor(), packet.data(), packet.size(), MSG_NOSIGNAL);
    if (sent < 0) co_return error_of(-errno);
    co_return Done{};
  }

  Task<Result<std::string, Error>> receive(Time deadline) override {
    while (true) {
      if (auto received = handle_.next()) co_return std::move(*received);
      async::Woken woken = co_await handle_.news().wait(deadline);
      if (woken == async::Woken::timed_out) co_return Error::timed_out;
    }
  }

 private:
  DatagramHandle& handle_;
};

int bind_to(const Descriptor& socket, bool v4, std::uint16_t port) {
  sockaddr_storage local{};
  std::array<std::uint8_t, 16> any{};
  SocketAddress address{v4 ? IpAddress() : IpAddress::v6(any), port};
  socklen_t length = address.to_sockaddr(local);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), length) < 0 ? -errno : 0;
}

int bind_to_random_port(const Descriptor& socket, bool v4) {
  std::array<std::uint16_t, port_draws> draws{};
  if (::getrandom(draws.data(), sizeof draws, 0) == sizeof draws) {
    for (std::uint16_t port : draws) {
      if (port < first_port) continue;
      int code = bind_to(socket, v4, port);
      if (code != -EADDRINUSE) return code;
    }
  }
  return bind_to(socket, v4, 0);
}

}  // namespace

Result<std::unique_ptr<io::Datagram>, Error> DatagramDialer::open(SocketAddress to) {
  sockaddr_storage remote{};
  socklen_t length = to.to_sockaddr(remote);
  Descriptor socket(::socket(remote.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return error_of(-errno);
  if (int code = bind_to_random_port(socket, to.ip.is_v4()); code < 0) return error_of(code);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&remote), length) < 0) return error_of(-errno);
  if (!loop_.make_room_for(socket.get())) return Error::exhausted;
  return std::unique_ptr<io::Datagram>(std::make_unique<Datagram>(loop_, std::move(socket)));
}

}  // namespace sallyport::uv
