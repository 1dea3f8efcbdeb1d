#include "gateway/uv/listening_sockets.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <vector>

namespace sallyport::uv {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view socket_prefix = "socket:[";

bool is_any(const IpAddress& address) { return address == IpAddress() || address == *IpAddress::parse("::"); }

// The inodes of the sockets that a process has open; empty when this user may not look.
std::set<std::uint64_t> sockets_of(const fs::path& process) {
  std::set<std::uint64_t> inodes;
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    const std::string target = fs::read_symlink(entry->path(), unreadable).string();
    if (unreadable || !target.starts_with(socket_prefix)) continue;
    std::uint64_t inode = 0;
    std::from_chars(target.data() + socket_prefix.size(), target.data() + target.size(), inode);
    inodes.insert(inode);
  }
  return inodes;
}

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

std::vector<ForeignListener> all_listeners() {
  constexpr std::string_view listening = "0A";
  std::vector<ForeignListener> found;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    std::getline(lines, line);  // the headings
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, timeout;
      ForeignListener listener;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> listener.uid >> timeout >>
          listener.inode;
      if (!fields || state != listening) continue;
      const auto address = read_address(local);
      if (!address) continue;
      listener.address = *address;
      found.push_back(listener);
    }
  }
  return found;
}

}  // namespace

bool overlap(const SocketAddress& one, const SocketAddress& other) {
  if (one.port != other.port) return false;
  if (one.ip == other.ip) return true;
  const IpAddress any_v6 = *IpAddress::parse("::");
  if (one.ip == any_v6 || other.ip == any_v6) return true;
  return one.ip.is_v4() == other.ip.is_v4() && (is_any(one.ip) || is_any(other.ip));
}

std::optional<ForeignListener> find_foreign_listener(const SocketAddress& address) {
  std::set<std::uint64_t> ours;
  for (const ForeignListener& listener : all_listeners()) {
    if (!overlap(listener.address, address)) continue;
    if (ours.empty()) ours = sockets_of("/proc/self");
    if (!ours.contains(listener.inode)) return listener;
  }
  return std::nullopt;
}

std::string describe(const ForeignListener& listener) {
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string process = entry->path().filename().string();
    if (process.find_first_not_of("0123456789") != process.npos) continue;
    if (!sockets_of(entry->path()).contains(listener.inode)) continue;
    std::string name;
    std::getline(std::ifstream(entry->path() / "comm"), name);
    return name + " (process " + process + ")";
  }
  return "a process of user " + std::to_string(listener.uid);
}

}  // namespace sallyport::uv
