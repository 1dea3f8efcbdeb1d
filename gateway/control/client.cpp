#include "gateway/control/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

Failure failure_of(int error) { return Failure{std::generic_category().message(error)}; }

// One connection; every wait ends at the deadline.
class Connection {
 public:
  explicit Connection(Duration timeout) : deadline_(std::chrono::steady_clock::now() + timeout) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<Done> connect(const std::string& path) {
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return failure_of(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return failure_of(errno);
    // A local socket connects at once; EAGAIN means that its backlog is full.
    if (::connect(fd_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) return failure_of(errno);
    return Done{};
  }

  Result<Done> send(std::string_view octets) {
    while (!octets.empty()) {
      const ::ssize_t n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        octets.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        if (auto ready = wait_for(POLLOUT); !ready) return ready;
      } else if (errno != EINTR) {
        return failure_of(errno);
      }
    }
    return Done{};
  }

  Result<std::string> receive_line() {
    std::string line;
    std::array<char, 16384> block;
    while (true) {
      const ::ssize_t n = ::recv(fd_, block.data(), block.size(), 0);
      if (n < 0 && errno == EAGAIN) {
        if (auto ready = wait_for(POLLIN); !ready) return ready.error();
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failure_of(errno);
      if (n == 0) return Failure{"the connection ended before the response did"};
      const std::string_view piece(block.data(), static_cast<std::size_t>(n));
      const std::size_t end = piece.find('\n');
      line.append(piece.substr(0, end));
      if (line.size() > max_response_bytes) return Failure{"the response is too long"};
      if (end != std::string_view::npos) return line;
    }
  }

 private:
  Result<Done> wait_for(short what) {
    while (true) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
      if (left <= 0) return Failure{"no answer in time"};
      ::pollfd waiting{fd_, what, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(left));
      if (ready > 0) return Done{};
      if (ready < 0 && errno != EINTR) return failure_of(errno);
    }
  }

  const std::chrono::steady_clock::time_point deadline_;
  int fd_ = -1;
};

}  // namespace

Result<std::string> ask(const std::string& path, std::string_view request, Duration timeout) {
  Connection connection(timeout);
  if (auto connected = connection.connect(path); !connected) return connected.error();
  std::string line(request);
  line += '\n';
  if (auto sent = connection.send(line); !sent) return sent.error();
  return connection.receive_line();
}

}  // namespace sallyport::control
