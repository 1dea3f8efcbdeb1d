#include "gateway/uv/socket_table.h"

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

#include "gateway/base/address_overlap.h"

namespace sallyport::uv {

namespace {

std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// "0100007F:0019": the address as words of 32 bits in the order of this machine, the port as a number.
std::optional<SocketAddress> read_address(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t word = 0; word < colon / 8; ++word) {
    const auto value = hexadecimal(text.substr(word * 8, 8));
    if (!value) return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) octets[word * 4 + i] = static_cast<std::uint8_t>(*value >> (8 * i));
  }
  const auto port = hexadecimal(text.substr(colon + 1));
  if (!port || *port > 0xffff) return std::nullopt;
  const IpAddress ip = colon == 8 ? IpAddress::v4({octets[0], octets[1], octets[2], octets[3]}) : IpAddress::v6(octets);
  return SocketAddress{ip, static_cast<std::uint16_t>(*port)};
}

SocketRow::State state_of(std::string_view number) {
  if (number == "0A") return SocketRow::State::listening;
  if (number == "03") return SocketRow::State::handshake;
  return SocketRow::State::other;
}

}  // namespace

std::optional<SocketRow> read_socket_row(std::string_view line) {
  std::istringstream fields{std::string(line)};
  std::string number, local, remote, state, queues, timer, retransmits, timeout;
  SocketRow row;
  fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> row.uid >> timeout >> row.inode;
  if (!fields) return std::nullopt;
  const auto address = read_address(local);
  if (!address) return std::nullopt;
  row.local = *address;
  row.state = state_of(state);
  return row;
}

bool read_socket_table(const std::function<bool(const SocketRow& row)>& look) {
  bool has_read = false;
  for (const char* const path : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream table(path);
    for (std::string line; std::getline(table, line);) {
      has_read = true;
      const auto row = read_socket_row(line);
      if (row && look(*row)) return true;
    }
  }
  return has_read;
}

bool may_have_handshakes(const SocketAddress& listener) {
  bool found = false;
  const bool is_known = read_socket_table([&](const SocketRow& row) {
    found = row.state == SocketRow::State::handshake && row.local.port == listener.port &&
            (row.local.ip == listener.ip || is_any_address(listener.ip));
    return found;
  });
  return found || !is_known;
}

}  // namespace sallyport::uv
