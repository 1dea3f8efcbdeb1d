#include "gateway/uv/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <uv.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "gateway/async/timer_wheel.h"
#include "gateway/base/ensure.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/tcp_stream.h"

namespace sallyport::uv {

namespace {

constexpr Duration pause_time = std::chrono::milliseconds(100);
// Between them the sessions that are there get their turn.
constexpr int most_accepts_per_turn = 64;

int most_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
  return static_cast<int>(limit.rlim_cur / 10 * 9);
}

// accept(2): what went wrong with the one connection, not with us.
bool is_about_that_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

bool is_any(const IpAddress& address) { return address == IpAddress() || address == *IpAddress::parse("::"); }

}  // namespace

// libuv's own accepting drops those who come when descriptors run short, and does not tell the peer's address.
class Listener::Accepting final : public Handle {
 public:
  Accepting(Loop& loop, BoundSocket socket, Accepted accepted)
      : loop_(loop),
        socket_(std::move(socket)),
        accepted_(std::move(accepted)),
        resume_(*this),
        is_bound_to_any_(is_any(socket_->address().ip)) {
    ensure(uv_poll_init(loop.raw(), &poll_, socket_->descriptor()) == 0, "Listener: the socket cannot be watched");
    own(reinterpret_cast<uv_handle_t*>(&poll_));
    watch();
  }

  void stop() noexcept {
    resume_.clear();
    close_handle();
    socket_.reset();
  }

 private:
  class Resume final : public async::Timer {
   public:
    explicit Resume(Accepting& accepting) noexcept : accepting_(accepting) {}

   private:
    void fired() override {
      if (accepting_.has_shortage()) {
        accepting_.pause();
      } else {
        accepting_.watch();
      }
    }
    Accepting& accepting_;
  };

  void watch() noexcept {
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
      static_cast<Accepting*>(static_cast<Handle*>(poll->data))->on_readable(status);
    });
  }

  void pause() noexcept {
    uv_poll_stop(&poll_);
    loop_.scheduler().set(resume_, loop_.scheduler().now() + pause_time);
  }

  // The kernel gives the lowest free number, so its size tells how many are in use.
  bool has_shortage() const noexcept {
    Descriptor probe(::fcntl(socket_->descriptor(), F_DUPFD_CLOEXEC, 0));
    return !probe || probe.get() >= most_descriptors_;
  }

  void on_readable(int status) noexcept {
    Turn turn(loop_);
    loop_.update_time();
    if (status < 0) return pause();
    for (int n = 0; n < most_accepts_per_turn && socket_; ++n) {
      sockaddr_storage peer{};
      socklen_t length = sizeof peer;
      auto* plain = reinterpret_cast<sockaddr*>(&peer);
      Descriptor connection(::accept4(socket_->descriptor(), plain, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!connection) {
        if (errno == EAGAIN) return;
        if (is_about_that_connection(errno)) continue;
        return pause();  // no descriptors, no memory
      }
      bool is_last = connection.get() >= most_descriptors_;
      hand_on(std::move(connection), *plain);
      if (is_last && socket_) return pause();
    }
  }

  void hand_on(Descriptor connection, const sockaddr& peer) noexcept {
    try {
      SocketAddress local = local_address(connection);
      auto stream = socket_->is_unix() ? TcpStream::adopt_unix(loop_, std::move(connection))
                                       : TcpStream::adopt_tcp(loop_, std::move(connection));
      if (stream) accepted_(std::move(*stream), SocketAddress::from(peer).value_or(SocketAddress{}), local);
    } catch (...) {
      // Out of memory, for one. The stream is closed by now; the others' sessions go on.
    }
  }

  SocketAddress local_address(const Descriptor& connection) const {
    const SocketAddress& bound = socket_->address();
    if (socket_->is_unix() || !is_bound_to_any_) return bound;
    sockaddr_storage local{};
    socklen_t length = sizeof local;
    auto* plain = reinterpret_cast<sockaddr*>(&local);
    if (::getsockname(connection.get(), plain, &length) < 0) return bound;
    return SocketAddress::from(*plain).value_or(bound);
  }

  Loop& loop_;
  std::optional<BoundSocket> socket_;  // until stop()
  Accepted accepted_;
  uv_poll_t poll_;
  Resume resume_;
  bool is_bound_to_any_;
  int most_descriptors_ = most_descriptors();
};

Listener::Listener(Loop& loop, BoundSocket socket, Accepted accepted)
    : address_(socket.address()), accepting_(new Accepting(loop, std::move(socket), std::move(accepted))) {}

void Listener::stop() noexcept {
  if (auto* accepting = std::exchange(accepting_, nullptr)) accepting->stop();
}

}  // namespace sallyport::uv
