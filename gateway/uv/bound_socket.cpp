#include "gateway/uv/bound_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "gateway/base/units.h"
#include "gateway/uv/listening_sockets.h"

namespace sallyport::uv {

namespace {

constexpr int backlog = 4096;  // the kernel takes less where net.core.somaxconn is less
// A predecessor that was told to stop a moment ago needs a moment to close its sockets.
constexpr Duration predecessor_patience = std::chrono::milliseconds(500);
constexpr Duration predecessor_interval = std::chrono::milliseconds(20);

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

// Alone: the kernel refuses the address while anybody listens at it. Shared: other sockets of this user that are bound
// as shared may listen there, too.
enum class Hold : std::uint8_t { alone, shared };

// The socket, or the errno of the step that failed.
Result<Descriptor, int> listen_at(const SocketAddress& address, Hold hold) {
  sockaddr_storage raw{};
  socklen_t length = address.to_sockaddr(raw);
  Descriptor socket(::socket(raw.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  if (hold == Hold::shared) switch_on(socket, SOL_SOCKET, SO_REUSEPORT);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);  // accepted connections inherit it, which saves a system call for each
  if (raw.ss_family == AF_INET6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY, is_wildcard_v6(address) ? 0 : 1);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&raw), length) < 0) return errno;
  if (::listen(socket.get(), backlog) < 0) return errno;
  return socket;
}

// The same; [::] becomes 0.0.0.0 on a host without IPv6.
Result<Descriptor, int> listen_at_or_v4(const SocketAddress& address, Hold hold) {
  auto socket = listen_at(address, hold);
  const bool has_no_v6 = !socket && (socket.error() == EAFNOSUPPORT || socket.error() == EADDRNOTAVAIL);
  if (!has_no_v6 || !is_wildcard_v6(address)) return socket;
  return listen_at(SocketAddress{IpAddress(), address.port}, hold);
}

BindFailure cannot_bind(const SocketAddress& address, int error) {
  return {cannot("bind", address.to_string(), error).message, error};
}

// The first socket of an address. It listens before others may join it, so of two processes that start at the same
// moment one fails. Sockets of our own that overlap the address (127.0.0.1 and 0.0.0.0) are no obstacle.
Result<Descriptor, BindFailure> listen_first(const SocketAddress& address) {
  const auto give_up = std::chrono::steady_clock::now() + predecessor_patience;
  while (true) {
    auto socket = listen_at_or_v4(address, Hold::alone);
    if (socket) {
      switch_on(*socket, SOL_SOCKET, SO_REUSEPORT);
      return std::move(*socket);
    }
    if (socket.error() != EADDRINUSE) return cannot_bind(address, socket.error());
    const auto foreign = find_foreign_listener(address);
    if (!foreign) {
      socket = listen_at_or_v4(address, Hold::shared);
      if (!socket) return cannot_bind(address, socket.error());
      return std::move(*socket);
    }
    if (std::chrono::steady_clock::now() >= give_up) {
      BindFailure failure = cannot_bind(address, EADDRINUSE);
      failure.message = "cannot bind " + address.to_string() + ": it is in use, " + describe(*foreign) +
                        " listens at " + foreign->address.to_string();
      return failure;
    }
    std::this_thread::sleep_for(predecessor_interval);
  }
}

constexpr pid_t unknown_process = 0;
constexpr pid_t service_manager = 1;

// The process that listens at this socket file. Nothing: nobody does.
std::optional<pid_t> server_at(const sockaddr_un& address) {
  Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return unknown_process;
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return errno == ECONNREFUSED ? std::nullopt : std::optional(unknown_process);
  ucred server{};
  socklen_t length = sizeof server;
  if (::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &server, &length) < 0) return unknown_process;
  return server.pid;
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Failure{"cannot bind " + path + ": a socket's path has 1 to 107 octets"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

enum class Place : std::uint8_t { free, left_behind };

// What is at the path; a failure: something that must stay.
Result<Place> look_at_place(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) < 0) return Place::free;  // any other error will come from bind() too
  if (!S_ISSOCK(found.st_mode)) return Failure{"cannot bind " + path + ": there is a file that is no socket"};
  if (server_at(address)) return Failure{"cannot bind " + path + ": another process serves it"};
  return Place::left_behind;
}

std::optional<Failure> give_to_group(const std::string& path, const std::string& group) {
  std::vector<char> buffer(16 * 1024);
  ::group entry{};
  ::group* found = nullptr;
  const int problem = ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    const std::string why = problem == 0 ? "there is no such group" : words_for(problem);
    return Failure{"cannot give " + path + " to the group " + group + ": " + why};
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0) return std::nullopt;
  return Failure{"cannot give " + path + " to the group " + group + ": " + words_for(errno) +
                 " (this takes root, or a user who is in the group)"};
}

}  // namespace

BoundSocket& BoundSocket::operator=(BoundSocket&& other) noexcept {
  if (this == &other) return *this;
  remove_file();
  descriptor_ = std::move(other.descriptor_);
  address_ = other.address_;
  is_unix_ = other.is_unix_;
  path_ = std::move(other.path_);
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

BoundSocket::~BoundSocket() { remove_file(); }

void BoundSocket::remove_file() noexcept {
  if (!descriptor_ || path_.empty()) return;
  struct stat found {};
  // A successor may have put its own socket there (bind_unix_listener).
  const bool is_ours = ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

Result<BoundSocket, BindFailure> bind_listener(SocketAddress address) {
  auto socket = listen_at_or_v4(address, Hold::shared);
  if (!socket) return cannot_bind(address, socket.error());
  BoundSocket bound(std::move(*socket));
  bound.address_ = address_of(bound.descriptor_);
  return bound;
}

Result<std::vector<BoundSocket>, BindFailure> bind_listeners(SocketAddress address, std::size_t count) {
  auto first = listen_first(address);
  if (!first) return std::move(first).error();
  std::vector<BoundSocket> bound;
  bound.push_back(BoundSocket(std::move(*first)));
  bound.front().address_ = address_of(bound.front().descriptor_);
  while (bound.size() < count) {
    auto next = bind_listener(bound.front().address_);
    if (!next) return std::move(next).error();
    bound.push_back(std::move(*next));
  }
  return bound;
}

std::optional<Failure> objection_to_unix_place(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  const std::optional<pid_t> server = server_at(*address);
  if (server == service_manager || server == unknown_process) return std::nullopt;
  const auto place = look_at_place(path, *address);
  if (!place) return place.error();
  return std::nullopt;
}

Result<BoundSocket> bind_unix_listener(const std::string& path, const UnixAccess& access) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  const auto place = look_at_place(path, *address);
  if (!place) return place.error();
  if (*place == Place::left_behind && ::unlink(path.c_str()) < 0) return cannot("replace", path, errno);

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return cannot("bind", path, errno);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) < 0) {
    return cannot("bind", path, errno);
  }
  BoundSocket bound(std::move(socket));
  bound.is_unix_ = true;
  struct stat made {};
  if (::lstat(path.c_str(), &made) < 0) return cannot("find", path, errno);
  bound.path_ = path;
  bound.device_ = made.st_dev;
  bound.inode_ = made.st_ino;
  // Nobody can connect before listen(), so the mode that the umask gave the file is never used.
  if (!access.group.empty()) {
    if (auto failure = give_to_group(path, access.group)) return *failure;
  }
  if (::chmod(path.c_str(), access.mode) < 0) return cannot("set the mode of", path, errno);
  if (::listen(bound.descriptor(), backlog) < 0) return cannot("listen at", path, errno);
  return bound;
}

namespace {

std::string place_beside(const std::string& path) { return path + ".next"; }

}  // namespace

Result<BoundSocket> bind_unix_successor(const std::string& path) {
  auto bound = bind_unix_listener(place_beside(path));
  if (bound) bound->path_ = path;
  return bound;
}

Result<Done> take_place_at(const std::string& path) {
  if (::rename(place_beside(path).c_str(), path.c_str()) != 0) return cannot("replace", path, errno);
  return Done{};
}

void give_up_place_at(const std::string& path) noexcept { ::unlink(place_beside(path).c_str()); }

Result<std::vector<BoundSocket>, BindFailure> bind_unix_listeners(const std::string& path, const UnixAccess& access,
                                                                  std::size_t count) {
  auto first = bind_unix_listener(path, access);
  if (!first) return BindFailure{first.error().message, 0};
  std::vector<BoundSocket> bound;
  bound.push_back(std::move(*first));
  while (bound.size() < count) {
    Descriptor copy(::fcntl(bound.front().descriptor(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return BindFailure{cannot("share", path, errno).message, errno};
    BoundSocket next(std::move(copy));
    next.is_unix_ = true;
    bound.push_back(std::move(next));
  }
  bound.front().path_.clear();
  return bound;
}

Result<BoundSocket> adopt_listener(Descriptor socket, Keeper keeper) {
  int listens = 0;
  socklen_t length = sizeof listens;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
    return cannot("take over", "the socket that was handed over", errno);
  }
  if (!listens) return Failure{"cannot take over the socket that was handed over: it does not listen"};
  int family = 0;
  length = sizeof family;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &length);
  // Accepting must not wait for a client that another loop has taken.
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags >= 0) ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
  BoundSocket bound(std::move(socket));
  bound.is_unix_ = family == AF_UNIX;
  bound.keeper_ = keeper;
  if (!bound.is_unix_) {
    switch_on(bound.descriptor_, IPPROTO_TCP, TCP_NODELAY);
    bound.address_ = address_of(bound.descriptor_);
  }
  return bound;
}

}  // namespace sallyport::uv
