#include "gateway/milter_library/socket_place.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace sallyport::milter_library {

namespace {

Failure failed(const std::string& what) { return Failure{what + ": " + std::strerror(errno)}; }

Result<SocketPlace> parse_port_and_host(SocketPlace::Family family, std::string_view text) {
  SocketPlace place;
  place.family = family;
  const std::size_t at = text.find('@');
  place.port = text.substr(0, at);
  if (at != std::string_view::npos) {
    std::string_view host = text.substr(at + 1);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host.starts_with("IPv6:")) host.remove_prefix(5);
    if (host.empty()) return Failure{"no host behind '@'"};
    place.host = host;
  }
  if (place.port.empty()) return Failure{"no port"};
  return place;
}

Result<SocketPlace> parse_path(std::string_view path) {
  if (path.empty()) return Failure{"no path"};
  if (path.size() >= sizeof ::sockaddr_un{}.sun_path) return Failure{"path too long"};
  SocketPlace place;
  place.path = path;
  return place;
}

Result<ListeningSocket> bind_and_listen(const ::sockaddr* address, ::socklen_t size, int backlog) {
  ListeningSocket listening;
  listening.descriptor.reset(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listening.descriptor) return failed("socket");
  const int yes = 1;
  if (address->sa_family != AF_UNIX)
    ::setsockopt(listening.descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listening.descriptor.get(), address, size) != 0) return failed("bind");
  if (::listen(listening.descriptor.get(), backlog) != 0) return failed("listen");
  return listening;
}

// Only a socket: another file of that name is not ours to remove.
void remove_old_socket(const std::string& path) {
  struct ::stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
}

Result<ListeningSocket> listen_at_path(const std::string& path, int backlog, bool removes_old) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::string kept_path = path;  // while nothing is there yet that it would be wanting for
  if (removes_old) remove_old_socket(path);
  auto listening = bind_and_listen(reinterpret_cast<const ::sockaddr*>(&address), sizeof address, backlog);
  if (!listening) return listening;
  listening->path = std::move(kept_path);
  struct ::stat made {};
  if (::lstat(path.c_str(), &made) == 0) {
    listening->device = made.st_dev;
    listening->inode = made.st_ino;
  }
  return listening;
}

Result<ListeningSocket> listen_at_host(const SocketPlace& place, int backlog) {
  ::addrinfo hints{};
  hints.ai_family = place.family == SocketPlace::Family::ipv6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  ::addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(place.host.empty() ? nullptr : place.host.c_str(), place.port.c_str(), &hints, &found);
  if (error != 0) return Failure{place.port + "@" + place.host + ": " + ::gai_strerror(error)};
  const std::unique_ptr<::addrinfo, void (*)(::addrinfo*)> owner(found, ::freeaddrinfo);
  return bind_and_listen(found->ai_addr, found->ai_addrlen, backlog);
}

}  // namespace

Result<SocketPlace> parse_socket_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return parse_path(text);
  const std::string_view protocol = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (protocol == "unix" || protocol == "local") return parse_path(rest);
  if (protocol == "inet") return parse_port_and_host(SocketPlace::Family::ipv4, rest);
  if (protocol == "inet6") return parse_port_and_host(SocketPlace::Family::ipv6, rest);
  return Failure{"unknown kind of socket: " + std::string(protocol)};
}

Result<ListeningSocket> listen_at(const SocketPlace& place, int backlog, bool removes_old) {
  if (place.family == SocketPlace::Family::unix_domain) return listen_at_path(place.path, backlog, removes_old);
  return listen_at_host(place, backlog);
}

void remove_path(const ListeningSocket& socket) {
  if (socket.path.empty() || ::geteuid() == 0) return;
  struct ::stat found {};
  if (::lstat(socket.path.c_str(), &found) != 0) return;
  if (found.st_dev == socket.device && found.st_ino == socket.inode) ::unlink(socket.path.c_str());
}

}  // namespace sallyport::milter_library
