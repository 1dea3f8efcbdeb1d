// What the tests of gateway/uv share: a loop whose waits are bounded, and plain blocking sockets for the other end.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/io/stream.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::uv {

using namespace std::chrono_literals;
using io::Error;
using Outcome = Result<Done, Error>;

inline constexpr Duration patience = 10s;

inline SocketAddress loopback(std::uint16_t port = 0) { return {IpAddress::v4({127, 0, 0, 1}), port}; }

// The other end of a connection, blocking, with a time limit.
class PlainSocket {
 public:
  explicit PlainSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) { limit_waits(); }
  static PlainSocket connect(const SocketAddress& to) {
    Descriptor descriptor(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    socklen_t length = to.to_sockaddr(address);
    int code = ::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), length);
    ensure(code == 0, "PlainSocket: no connection");
    return PlainSocket(std::move(descriptor));
  }

  int get() const { return descriptor_.get(); }
  void send(std::string_view octets) const {
    ssize_t sent = ::send(get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    ensure(sent == static_cast<ssize_t>(octets.size()), "PlainSocket: not all was sent");
  }
  // The next octets; empty at the end. An error is its name.
  std::string receive(std::size_t most = 65536) const {
    std::string octets(most, '\0');
    ssize_t count = ::recv(get(), octets.data(), octets.size(), 0);
    if (count < 0) return errno == ECONNRESET ? "RESET" : "ERROR";
    octets.resize(static_cast<std::size_t>(count));
    return octets;
  }
  void end() const { ::shutdown(get(), SHUT_WR); }
  void close() { descriptor_.reset(); }
  void reset() {
    linger now{1, 0};
    ::setsockopt(get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

 private:
  void limit_waits() const {
    timeval limit{10, 0};
    ::setsockopt(get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  Descriptor descriptor_;
};

// A listener on the loopback that keeps what it accepts.
class Server {
 public:
  struct Connection {
    std::unique_ptr<io::Stream> stream;
    SocketAddress peer;
    SocketAddress local;
  };

  explicit Server(Loop& loop) : Server(loop, bind_listener(loopback()).value()) {}
  Server(Loop& loop, BoundSocket socket)
      : news_(loop.scheduler()),
        listener_(loop, std::move(socket), [this](auto stream, SocketAddress peer, SocketAddress local) {
          accepted_.push_back(Connection{std::move(stream), peer, local});
          news_.notify();
        }) {}

  SocketAddress address() const { return listener_.address(); }
  Listener& listener() { return listener_; }
  std::size_t waiting() const { return accepted_.size(); }
  Task<Connection> next() {
    while (accepted_.empty()) co_await news_.wait();
    Connection first = std::move(accepted_.front());
    accepted_.erase(accepted_.begin());
    co_return first;
  }

 private:
  std::vector<Connection> accepted_;
  async::Signal news_;
  Listener listener_;
};

inline Task<void> stop_at(Loop& loop, Time when) {
  co_await async::SleepUntil(loop.scheduler(), when);
  loop.stop();
}

class OnLoopback : public ::testing::Test {
 protected:
  Time in(Duration duration) { return Loop::now() + duration; }
  // Runs the loop until the task is done. If that takes too long, run_until_done() throws, because the loop was
  // stopped.
  template <class T>
  T run(Task<T> task) {
    async::Nursery watch(loop.scheduler());
    watch.spawn(stop_at(loop, in(patience)));
    return loop.run_until_done(std::move(task));
  }
  // Lets the loop go on for a while.
  void pass(Duration duration) { loop.run_until_done(sleep(loop.scheduler(), duration)); }

  Outcome fill(io::Stream& stream, Duration limit = patience) { return run(stream.fill(in(limit))); }
  Outcome write(io::Stream& stream, std::string_view octets, Duration limit = patience) {
    return run(stream.write(octets, in(limit)));
  }
  // A stream of ours, and the plain socket at its other end.
  std::pair<std::unique_ptr<io::Stream>, PlainSocket> connection() {
    PlainSocket plain = PlainSocket::connect(server.address());
    Server::Connection accepted = run(server.next());
    return {std::move(accepted.stream), std::move(plain)};
  }

  const std::unique_ptr<WorkPool> work_pool = WorkPool::start(1).value();
  Loop loop{work_pool.get()};
  Server server{loop};

 private:
  static Task<void> sleep(async::Scheduler& scheduler, Duration duration) {
    co_await async::sleep_for(scheduler, duration);
  }
};

// Reads so many octets and gives them.
inline Task<std::string> read_octets(io::Stream& stream, std::size_t count, Time deadline) {
  std::string octets;
  while (true) {
    octets += stream.input();
    stream.consume(stream.input().size());
    if (octets.size() >= count) co_return octets;
    Outcome more = co_await stream.fill(deadline);
    if (!more) co_return octets + " (" + std::string(io::name(more.error())) + ")";
  }
}

// Runs beside the test; the outcome is kept.
inline Task<void> keep_outcome(Task<Outcome> task, std::optional<Outcome>& outcome) {
  outcome = co_await std::move(task);
}

}  // namespace sallyport::uv
