#include "gateway/uv/listener.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <utility>

#include "gateway/async/timer_wheel.h"
#include "gateway/async/wait.h"
#include "gateway/base/address_overlap.h"
#include "gateway/base/ensure.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/socket_table.h"
#include "gateway/uv/tcp_stream.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::uv {

namespace {

constexpr Duration pause_time = std::chrono::milliseconds(100);
// Of retire(), for handshakes.
constexpr Duration looking_interval = std::chrono::milliseconds(50);
// After this many the callback returns, so that existing sessions get their turn.
constexpr int most_accepts_per_turn = 64;

int most_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
  return static_cast<int>(limit.rlim_cur / 10 * 9);
}

// True for errors of accept(2) that concern only the connection being accepted, not this process.
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

// What accepting one connection came to.
enum class Attempt {
  done,
  nobody_waits,
  shortage,  // of descriptors or memory
};

// On the work pool: the kernel's table is long where connections are many.
struct LookForHandshakes {
  SocketAddress listener;
  bool operator()() const { return may_have_handshakes(listener); }
};

}  // namespace

// Uses uv_poll and accept4() instead of uv_listen(), which drops connections when descriptors run short and does not
// give the peer's address.
class Listener::Accepting final : public Handle {
 public:
  Accepting(Loop& loop, BoundSocket socket, Accepted accepted, HasRoom has_room)
      : loop_(loop),
        socket_(std::move(socket)),
        accepted_(std::move(accepted)),
        has_room_(std::move(has_room)),
        resume_(*this),
        is_bound_to_any_(is_any_address(socket_->address().ip)) {
    if (!loop.make_room_for(socket_->descriptor())) throw std::bad_alloc();
    ensure(uv_poll_init(loop.raw(), &poll_, socket_->descriptor()) == 0, "Listener: the socket cannot be watched");
    own(reinterpret_cast<uv_handle_t*>(&poll_));
    watch();
  }

  Loop& loop() noexcept { return loop_; }
  void leave_file() noexcept { socket_->leave_file(); }
  // The clients who wait, and who come, are for the next process that takes the socket over.
  bool is_kept_elsewhere() const noexcept { return socket_->keeper() != Keeper::nobody_else; }
  bool can_have_handshakes() const noexcept { return !socket_->is_unix(); }

  void stop() noexcept {
    resume_.clear();
    close_handle();
    socket_.reset();
  }

  // The kernel drops each SYN that comes to this socket (without SYN and ACK both, which it would not expect here). The
  // client sends another one after a second; by then the socket is closed, and it is refused or reaches another one of
  // this address. A refusal now, while the socket is open, cannot be had. Needs no privilege; where it fails (a kernel
  // without it), a client that begins in the last moment is reset.
  void ignore_newcomers() noexcept {
    has_room_ = nullptr;  // those who are left have been promised nothing but a reply
    if (socket_->is_unix()) return;
    constexpr unsigned flags_octet = 13;  // of the TCP header, where the data of a TCP socket's filter begins
    std::array<sock_filter, 5> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_octet),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    }};
    sock_fprog filter{program.size(), program.data()};
    ::setsockopt(socket_->descriptor(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  }

  // False: somebody may wait who cannot be accepted now.
  bool accept_all() noexcept {
    Attempt last = Attempt::done;
    while (socket_ && last == Attempt::done) last = accept_one();
    return last != Attempt::shortage;
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

  // The kernel gives the lowest free descriptor number, so that number shows how many are in use.
  bool has_shortage() const noexcept {
    Descriptor probe(::fcntl(socket_->descriptor(), F_DUPFD_CLOEXEC, 0));
    return !probe || probe.get() >= most_descriptors_ || (has_room_ && !has_room_());
  }

  void on_readable(int status) noexcept {
    Turn turn(loop_);
    if (status < 0) return pause();
    for (int n = 0; n < most_accepts_per_turn && socket_; ++n) {
      if (accept_one() != Attempt::done) return;
    }
  }

  Attempt accept_one() noexcept {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    auto* plain = reinterpret_cast<sockaddr*>(&peer);
    Descriptor connection(::accept4(socket_->descriptor(), plain, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection) {
      if (errno == EAGAIN) return Attempt::nobody_waits;
      if (is_about_that_connection(errno)) return Attempt::done;
      pause();
      return Attempt::shortage;
    }
    bool is_last = connection.get() >= most_descriptors_;
    hand_on(std::move(connection), *plain);
    if (!socket_) return Attempt::done;
    if (!is_last && (!has_room_ || has_room_())) return Attempt::done;
    pause();
    return Attempt::shortage;
  }

  void hand_on(Descriptor connection, const sockaddr& peer) noexcept {
    try {
      SocketAddress local = local_address(connection);
      auto stream = socket_->is_unix() ? TcpStream::adopt_unix(loop_, std::move(connection))
                                       : TcpStream::adopt_tcp(loop_, std::move(connection));
      if (stream) accepted_(std::move(*stream), SocketAddress::from(peer).value_or(SocketAddress{}), local);
    } catch (...) {
      // For example bad_alloc. The stream is destroyed and thereby closed; other sessions are not affected.
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
  HasRoom has_room_;
  uv_poll_t poll_;
  Resume resume_;
  bool is_bound_to_any_;
  int most_descriptors_ = most_descriptors();
};

Listener::Listener(Loop& loop, BoundSocket socket, Accepted accepted, HasRoom has_room)
    : address_(socket.address()),
      accepting_(new Accepting(loop, std::move(socket), std::move(accepted), std::move(has_room))) {}

Task<void> Listener::retire(Patience patience) {
  if (!accepting_) co_return;
  if (accepting_->is_kept_elsewhere()) co_return stop();
  Loop& loop = accepting_->loop();
  async::Scheduler& scheduler = loop.scheduler();
  const Time end = scheduler.now() + patience.most;
  accepting_->ignore_newcomers();
  co_await async::sleep_for(scheduler, patience.least);
  bool is_somebody_left = true;
  while (is_somebody_left && accepting_ && scheduler.now() < end) {
    is_somebody_left = !accepting_->accept_all();
    if (!is_somebody_left && accepting_ && accepting_->can_have_handshakes()) {
      try {
        LookForHandshakes look{address_};
        is_somebody_left = co_await on_worker(loop, std::move(look));
      } catch (const std::bad_alloc&) {
        is_somebody_left = true;  // perhaps
      }
    }
    if (is_somebody_left) co_await async::sleep_for(scheduler, looking_interval);
  }
  if (!accepting_) co_return;
  accepting_->accept_all();
  stop();
}

void Listener::leave_file() noexcept {
  if (accepting_) accepting_->leave_file();
}

void Listener::stop() noexcept {
  if (auto* accepting = std::exchange(accepting_, nullptr)) accepting->stop();
}

}  // namespace sallyport::uv
