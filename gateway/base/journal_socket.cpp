#include "gateway/base/journal_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sallyport {

namespace {

constexpr int give_up_looked_at_ms = 50;

// A message of one piece. Null memory: the octets, else nothing but the descriptor.
int send_message(int socket, std::string_view octets, const Descriptor* memory) {
  ::iovec piece{const_cast<char*>(octets.data()), octets.size()};
  ::msghdr message{};
  alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (memory == nullptr) {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  } else {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ::cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = memory->get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

bool write_whole(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ::ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written <= 0 && errno != EINTR) return false;
    if (written > 0) octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<JournalSocket> JournalSocket::open(std::string path) {
  JournalSocket made(std::move(path));
  if (const int error = made.connect(); error != 0) {
    return Failure{"cannot reach the journal at " + made.path_ + ": " + std::generic_category().message(error)};
  }
  return made;
}

int JournalSocket::connect() {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  Descriptor made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) return errno;
  if (::connect(made.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) return errno;
  socket_ = std::move(made);
  return 0;
}

int JournalSocket::send_datagram(std::string_view entry) const { return send_message(socket_.get(), entry, nullptr); }

int JournalSocket::send_memory(std::string_view entry) const {
  const Descriptor memory(::memfd_create("sallyport-log", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return errno;
  if (!write_whole(memory.get(), entry)) return ENOSPC;
  // The journal takes only what cannot change any more.
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  if (::fcntl(memory.get(), F_ADD_SEALS, seals) != 0) return errno;
  return send_message(socket_.get(), {}, &memory);
}

bool JournalSocket::send(std::string_view entry, const std::atomic<bool>& give_up) {
  bool fits = true;
  bool was_connected_anew = false;
  while (true) {
    switch (fits ? send_datagram(entry) : send_memory(entry)) {
      case 0:
        return true;
      case EINTR:
        continue;
      case EMSGSIZE:
      case ENOBUFS:
        if (!std::exchange(fits, false)) return false;
        continue;
      case EAGAIN: {
        if (give_up.load(std::memory_order_relaxed)) return false;
        ::pollfd room{socket_.get(), POLLOUT, 0};
        ::poll(&room, 1, give_up_looked_at_ms);
        continue;
      }
      default:
        // The journal's socket is another one since it was started anew.
        if (std::exchange(was_connected_anew, true) || connect() != 0) return false;
    }
  }
}

bool is_journal_stream(const char* value, int descriptor) {
  struct ::stat status {};
  if (value == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == value;
}

}  // namespace sallyport
