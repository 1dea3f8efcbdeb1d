#include "gateway/supervise/link.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "gateway/base/version.h"

namespace sallyport::supervise {

namespace {

constexpr std::size_t octets_in_a_piece = 1000;
constexpr std::size_t most_pieces = 64;
constexpr int answer_patience_ms = 10'000;

}  // namespace

bool send_message(int link, Word word, std::string_view text, int socket, bool wait) noexcept {
  if (text.size() > Message::most_octets) return false;
  auto first = static_cast<char>('a' + static_cast<int>(word));
  std::array<iovec, 2> parts{{{&first, 1}, {const_cast<char*>(text.data()), text.size()}}};
  msghdr packet{};
  packet.msg_iov = parts.data();
  packet.msg_iovlen = parts.size();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  if (socket >= 0) {
    packet.msg_control = room.data();
    packet.msg_controllen = room.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
  }
  while (::sendmsg(link, &packet, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) < 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

std::optional<Message> receive_message(int link) noexcept {
  while (true) {
    Message message;
    char first = 0;
    std::array<iovec, 2> parts{{{&first, 1}, {message.octets.data(), Message::most_octets}}};
    msghdr packet{};
    packet.msg_iov = parts.data();
    packet.msg_iovlen = parts.size();
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    packet.msg_control = room.data();
    // Of the alignment behind it the kernel would use what a second descriptor takes, and leave that open here.
    packet.msg_controllen = CMSG_LEN(sizeof(int));
    const ssize_t size = ::recvmsg(link, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    const cmsghdr* const header = CMSG_FIRSTHDR(&packet);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header), sizeof number);
      message.socket.reset(number);
    }
    const int word = first - 'a';
    if (word < 0 || word > static_cast<int>(Word::end)) continue;
    message.word = static_cast<Word>(word);
    message.size = static_cast<std::size_t>(size - 1);
    return message;
  }
}

bool is_fit_for_systemd(std::string_view state) noexcept {
  constexpr std::array<std::string_view, 5> names{"READY", "RELOADING", "STOPPING", "MONOTONIC_USEC",
                                                  "EXTEND_TIMEOUT_USEC"};
  while (true) {
    const std::size_t end = state.find('\n');
    const std::string_view line = state.substr(0, end);
    const std::size_t sign = std::min(line.find('='), line.size());
    const std::string_view value = line.substr(std::min(sign + 1, line.size()));
    if (std::find(names.begin(), names.end(), line.substr(0, sign)) == names.end()) return false;
    if (value.empty() || value.find_first_not_of("0123456789") != value.npos) return false;
    if (end == state.npos) return true;
    state.remove_prefix(end + 1);
  }
}

void Link::hold(std::string_view address, int socket) const {
  if (link_) send_message(link_.get(), Word::hold, address, socket, true);
}

void Link::release(std::string_view address) const {
  if (link_) send_message(link_.get(), Word::release, address, -1, true);
}

bool Link::settle_rights(bool are_needed) const {
  if (!link_) return true;
  if (!send_message(link_.get(), are_needed ? Word::keep_rights : Word::give_rights, {}, -1, true)) return false;
  pollfd readable{link_.get(), POLLIN, 0};
  if (::poll(&readable, 1, answer_patience_ms) != 1) return false;
  return receive_message(link_.get()).has_value();
}

void Link::want_figures(std::string_view what) const {
  if (link_) send_message(link_.get(), Word::figures, what, -1, true);
}

void Link::tell_ready() const {
  const std::string what = std::to_string(handover_format) + ' ' + std::string(version());
  if (link_) send_message(link_.get(), Word::ready, what, -1, true);
}

bool Link::wait_for_place() const {
  pollfd readable{link_.get(), POLLIN, 0};
  if (!link_ || ::poll(&readable, 1, answer_patience_ms) != 1) return false;
  const auto message = receive_message(link_.get());
  return message && message->word == Word::serve;
}

void Link::tell_placed() const {
  if (link_) send_message(link_.get(), Word::placed, {}, -1, true);
}

void send_why(int link, std::string_view reason) noexcept {
  reason = reason.substr(0, most_pieces * octets_in_a_piece);
  while (!reason.empty()) {
    send_message(link, Word::why, reason.substr(0, octets_in_a_piece));
    reason.remove_prefix(std::min(reason.size(), octets_in_a_piece));
  }
}

void Link::tell_why(std::string_view reason) const {
  if (link_) send_why(link_.get(), reason);
}

void Link::keep_lock(int descriptor) const {
  if (link_) send_message(link_.get(), Word::lock, {}, descriptor, true);
}

bool Link::ask_for_end() const { return link_ && send_message(link_.get(), Word::end, {}); }

bool Link::ask_for_upgrade() const { return link_ && send_message(link_.get(), Word::upgrade, {}); }

std::optional<Message> Link::next() const { return link_ ? receive_message(link_.get()) : std::nullopt; }

void Link::notify(std::string_view state) const {
  if (link_) send_message(link_.get(), Word::notify, state);
}

}  // namespace sallyport::supervise
