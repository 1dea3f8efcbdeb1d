#include "gateway/uv/tcp_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/uv/errors.h"
#include "gateway/uv/stream_handle.h"

namespace sallyport::uv {

using io::Error;

namespace {

// Guard in the frame of write_parts(): if the frame is destroyed before the write has ended, it resets the connection.
class PendingWrite {
 public:
  explicit PendingWrite(StreamHandle& handle) : handle_(handle) {}
  PendingWrite(const PendingWrite&) = delete;
  PendingWrite& operator=(const PendingWrite&) = delete;
  ~PendingWrite() {
    if (handle_.is_writing()) handle_.abort();
  }

 private:
  StreamHandle& handle_;
};

std::optional<SocketAddress> address_by(int (*ask)(int, sockaddr*, socklen_t*), int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (ask(descriptor, plain, &length) < 0) return std::nullopt;
  return SocketAddress::from(*plain);
}

std::size_t octets_in(std::span<const std::string_view> parts) {
  std::size_t octets = 0;
  for (std::string_view part : parts) octets += part.size();
  return octets;
}

// libuv would make one by itself, but then nobody can make room for its number before.
Descriptor new_socket(int family) {
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

TcpStream::TcpStream(Loop& loop, Family family)
    : handle_(
          *new StreamHandle(loop, family == Family::ip ? StreamHandle::Kind::tcp : StreamHandle::Kind::unix_domain)) {}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::adopt(Loop& loop, Family family, Descriptor socket) {
  std::unique_ptr<TcpStream> stream(new TcpStream(loop, family));
  int code = stream->handle_.open(socket.get());
  if (code < 0) return error_of(code);
  socket.release();
  return stream;
}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::adopt_tcp(Loop& loop, Descriptor socket) {
  return adopt(loop, Family::ip, std::move(socket));
}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::adopt_unix(Loop& loop, Descriptor socket) {
  return adopt(loop, Family::unix_domain, std::move(socket));
}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::connect(Loop& loop, SocketAddress to) {
  return connect(loop, new_socket(to.ip.is_v4() ? AF_INET : AF_INET6), to);
}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::connect(Loop& loop, Descriptor socket, SocketAddress to) {
  if (!socket) return error_of(-errno);
  std::unique_ptr<TcpStream> stream(new TcpStream(loop, Family::ip));
  int code = stream->handle_.take_unconnected(socket.get());
  if (code < 0) return error_of(code);
  socket.release();
  sockaddr_storage address{};
  to.to_sockaddr(address);
  code = stream->handle_.connect(reinterpret_cast<const sockaddr&>(address));
  if (code < 0) return error_of(code);
  return stream;
}

Result<std::unique_ptr<TcpStream>, Error> TcpStream::connect(Loop& loop, const std::string& path) {
  Descriptor socket = new_socket(AF_UNIX);
  if (!socket) return error_of(-errno);
  std::unique_ptr<TcpStream> stream(new TcpStream(loop, Family::unix_domain));
  const int code = stream->handle_.take_unconnected(socket.get());
  if (code < 0) return error_of(code);
  socket.release();
  stream->handle_.connect(path);
  return stream;
}

Task<Result<Done, Error>> TcpStream::connected(Time deadline) {
  while (handle_.is_connecting()) {
    async::Woken woken = co_await handle_.write_news().wait(deadline);
    if (woken == async::Woken::timed_out) co_return Error::timed_out;
  }
  if (auto error = handle_.write_error()) co_return *error;
  co_return Done{};
}

TcpStream::~TcpStream() { handle_.release(); }

std::string_view TcpStream::input() const { return handle_.input(); }

void TcpStream::consume(std::size_t octets) { handle_.consume(octets); }

Task<Result<Done, Error>> TcpStream::fill(Time deadline) {
  handle_.make_room();
  while (!handle_.is_closed()) {
    if (handle_.has_unseen_input()) co_return Done{};
    ensure(handle_.input().size() < io::block_octets, "Stream: fill() with a full block");
    if (auto error = handle_.read_error()) co_return *error;
    async::Woken woken = co_await handle_.read_news().wait(deadline);
    if (woken == async::Woken::timed_out) co_return Error::timed_out;
  }
  co_return Error::closed;
}

Task<Result<Done, Error>> TcpStream::write(std::string_view octets, Time deadline) {
  co_return co_await write_parts(std::span(&octets, 1), deadline);
}

Task<Result<Done, Error>> TcpStream::write_parts(std::span<const std::string_view> parts, Time deadline) {
  auto sent = handle_.send_now(parts);
  if (!sent) co_return sent.error();
  if (*sent == octets_in(parts)) co_return Done{};
  handle_.send_rest(parts, *sent);
  PendingWrite pending(handle_);
  while (handle_.is_writing()) {
    async::Woken woken = co_await handle_.write_news().wait(deadline);
    if (woken == async::Woken::timed_out) co_return Error::timed_out;
  }
  if (auto error = handle_.write_error()) co_return *error;
  co_return Done{};
}

bool TcpStream::has_undelivered() const { return handle_.has_undelivered(); }

bool TcpStream::is_open() const { return !handle_.is_closed() && !handle_.read_error() && !handle_.write_error(); }

bool TcpStream::is_broken() const {
  if (is_open()) return false;
  const bool has_only_ended = !handle_.write_error() && handle_.read_error() == io::Error::closed;
  // Nothing is read from a peer that has ended its side, so that a reset which follows is asked for.
  return !has_only_ended || handle_.has_socket_error();
}

bool TcpStream::peer_has_ended() const { return !is_open() || handle_.peer_has_ended(); }

std::optional<io::Stream::Ends> TcpStream::ends() const {
  const auto local = address_by(::getsockname, handle_.descriptor());
  const auto peer = address_by(::getpeername, handle_.descriptor());
  if (!local || !peer) return std::nullopt;
  return Ends{*local, *peer};
}

void TcpStream::close() { handle_.close(); }

void TcpStream::abort() { handle_.abort(); }

}  // namespace sallyport::uv
