#include "gateway/uv/bound_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace sallyport::uv {

namespace {

constexpr int backlog = 4096;  // the kernel takes less where net.core.somaxconn is less
constexpr mode_t unix_mode = 0660;

std::string words_for(int error) { return std::generic_category().message(error); }

Failure cannot(const char* what, const std::string& where, int error) {
  return Failure{std::string("cannot ") + what + " " + where + ": " + words_for(error)};
}

void switch_on(const Descriptor& socket, int level, int option, int value = 1) {
  ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

SocketAddress address_of(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket.get(), plain, &length) < 0) return {};
  return SocketAddress::from(*plain).value_or(SocketAddress{});
}

bool is_wildcard_v6(const SocketAddress& address) { return address.ip == *IpAddress::parse("::"); }

// The socket, or the errno of the step that failed.
Result<Descriptor, int> listen_at(const SocketAddress& address) {
  sockaddr_storage raw{};
  socklen_t length = address.to_sockaddr(raw);
  Descriptor socket(::socket(raw.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  switch_on(socket, SOL_SOCKET, SO_REUSEPORT);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);  // accepted connections inherit it, which saves a system call for each
  if (raw.ss_family == AF_INET6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY, is_wildcard_v6(address) ? 0 : 1);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&raw), length) < 0) return errno;
  if (::listen(socket.get(), backlog) < 0) return errno;
  return socket;
}

// Whether a process accepts connections at this socket file.
bool is_served(const sockaddr_un& address) {
  Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return true;
  int code = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return code == 0 || errno != ECONNREFUSED;
}

// Removes a socket file that no process serves. Gives a failure when the file must stay.
std::optional<Failure> clear_place(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) < 0)
    return std::nullopt;  // no such file; any other error will come from bind() too
  if (!S_ISSOCK(found.st_mode)) return Failure{"cannot bind " + path + ": there is a file that is no socket"};
  if (is_served(address)) return Failure{"cannot bind " + path + ": another process serves it"};
  if (::unlink(path.c_str()) < 0) return cannot("replace", path, errno);
  return std::nullopt;
}

}  // namespace

BoundSocket& BoundSocket::operator=(BoundSocket&& other) noexcept {
  if (this == &other) return *this;
  remove_file();
  descriptor_ = std::move(other.descriptor_);
  address_ = other.address_;
  is_unix_ = other.is_unix_;
  path_ = std::move(other.path_);
  return *this;
}

BoundSocket::~BoundSocket() { remove_file(); }

void BoundSocket::remove_file() noexcept {
  if (descriptor_ && !path_.empty()) ::unlink(path_.c_str());
}

Result<BoundSocket, BindFailure> bind_listener(SocketAddress address) {
  auto socket = listen_at(address);
  bool has_no_v6 = !socket && (socket.error() == EAFNOSUPPORT || socket.error() == EADDRNOTAVAIL);
  if (has_no_v6 && is_wildcard_v6(address)) socket = listen_at(SocketAddress{IpAddress(), address.port});
  if (!socket) return BindFailure{cannot("bind", address.to_string(), socket.error()).message, socket.error()};
  BoundSocket bound(std::move(*socket));
  bound.address_ = address_of(bound.descriptor_);
  return bound;
}

Result<BoundSocket> bind_unix_listener(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Failure{"cannot bind " + path + ": a socket's path has 1 to 107 octets"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (auto failure = clear_place(path, address)) return *failure;

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return cannot("bind", path, errno);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return cannot("bind", path, errno);
  }
  BoundSocket bound(std::move(socket));
  bound.is_unix_ = true;
  bound.path_ = path;
  // Nobody can connect before listen(), so the mode that the umask gave the file is never used.
  if (::chmod(path.c_str(), unix_mode) < 0) return cannot("set the mode of", path, errno);
  if (::listen(bound.descriptor(), backlog) < 0) return cannot("listen at", path, errno);
  return bound;
}

Result<BoundSocket> adopt_listener(Descriptor socket) {
  int listens = 0;
  socklen_t length = sizeof listens;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
    return cannot("take over", "the socket that was handed over", errno);
  }
  if (!listens) return Failure{"cannot take over the socket that was handed over: it does not listen"};
  int family = 0;
  length = sizeof family;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &length);
  BoundSocket bound(std::move(socket));
  bound.is_unix_ = family == AF_UNIX;
  if (!bound.is_unix_) {
    switch_on(bound.descriptor_, IPPROTO_TCP, TCP_NODELAY);
    bound.address_ = address_of(bound.descriptor_);
  }
  return bound;
}

}  // namespace sallyport::uv
