#include "gateway/uv/transparent_messages.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport::uv {

namespace {

bool is_family(std::uint8_t octet) {
  return octet == static_cast<std::uint8_t>(IpFamily::v4) || octet == static_cast<std::uint8_t>(IpFamily::v6);
}

Result<Done, Trouble> outcome_of_sending(ssize_t sent) {
  if (sent >= 0) return Done{};
  return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? Trouble::none_yet : Trouble::over;
}

Trouble trouble_of_reading(ssize_t received) {
  return received < 0 && (errno == EAGAIN || errno == EINTR) ? Trouble::none_yet : Trouble::over;
}

bool turn_on(const Descriptor& socket, int level, int option) {
  const int on = 1;
  return ::setsockopt(socket.get(), level, option, &on, sizeof on) == 0;
}

// Room for one descriptor beside a message.
struct Beside {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> octets{};
};

}  // namespace

Result<Done, Trouble> send_wish(int channel, IpFamily family) noexcept {
  return outcome_of_sending(::send(channel, &family, sizeof family, MSG_DONTWAIT | MSG_NOSIGNAL));
}

Result<IpFamily, Trouble> receive_wish(int channel) noexcept {
  std::array<std::uint8_t, 2> octets{};
  const ssize_t received = ::recv(channel, octets.data(), octets.size(), MSG_DONTWAIT);
  if (received <= 0) return trouble_of_reading(received);
  if (received != 1 || !is_family(octets[0])) return Trouble::over;
  return static_cast<IpFamily>(octets[0]);
}

Result<Done, Trouble> send_answer(int channel, const Answer& answer) noexcept {
  std::array<std::uint8_t, 2> octets{static_cast<std::uint8_t>(answer.family), static_cast<std::uint8_t>(answer.error)};
  iovec part{octets.data(), octets.size()};
  Beside beside;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (answer.socket) {
    message.msg_control = beside.octets.data();
    message.msg_controllen = beside.octets.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = answer.socket.get();
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  return outcome_of_sending(::sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

Result<Answer, Trouble> receive_answer(int channel) noexcept {
  std::array<std::uint8_t, 3> octets{};
  iovec part{octets.data(), octets.size()};
  Beside beside;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = beside.octets.data();
  message.msg_controllen = beside.octets.size();
  const ssize_t received = ::recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  Answer answer;
  if (received > 0) {
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (head != nullptr && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int))) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
      answer.socket.reset(descriptor);
    }
  }
  if (received <= 0) return trouble_of_reading(received);
  if (received != 2 || !is_family(octets[0])) return Trouble::over;
  answer.family = static_cast<IpFamily>(octets[0]);
  answer.error = octets[1];
  // When this process has no descriptor left, the kernel delivers the message without the socket.
  if (answer.error == 0 && !answer.socket) answer.error = EMFILE;
  if (answer.error != 0) answer.socket.reset();
  return answer;
}

Result<Descriptor, int> make_transparent_socket(IpFamily family) noexcept {
  const bool is_v4 = family == IpFamily::v4;
  Descriptor socket(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  const bool is_transparent =
      is_v4 ? turn_on(socket, IPPROTO_IP, IP_TRANSPARENT) : turn_on(socket, IPPROTO_IPV6, IPV6_TRANSPARENT);
  if (!is_transparent) return errno;
  return socket;
}

int bind_to_client(const Descriptor& socket, const IpAddress& client) noexcept {
  sockaddr_storage address{};
  const socklen_t length = SocketAddress{client, 0}.to_sockaddr(address);
  // The kernel then chooses the port at connect(), where it knows the other end, and one address has enough ports for
  // connections to many servers. Where the option is unknown, bind() chooses.
  turn_on(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
}

}  // namespace sallyport::uv
