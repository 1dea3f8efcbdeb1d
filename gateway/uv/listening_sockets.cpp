#include "gateway/uv/listening_sockets.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <vector>

#include "gateway/base/address_overlap.h"
#include "gateway/base/directory.h"
#include "gateway/uv/socket_table.h"

namespace sallyport::uv {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view socket_prefix = "socket:[";

// The inodes of the sockets that a process has open; empty when this user may not look.
std::set<std::uint64_t> sockets_of(const fs::path& process) {
  std::set<std::uint64_t> inodes;
  Directory descriptors((process / "fd").string());
  while (const auto name = descriptors.next()) {
    std::error_code unreadable;
    const std::string target = fs::read_symlink(process / "fd" / *name, unreadable).string();
    if (unreadable || !target.starts_with(socket_prefix)) continue;
    std::uint64_t inode = 0;
    std::from_chars(target.data() + socket_prefix.size(), target.data() + target.size(), inode);
    inodes.insert(inode);
  }
  return inodes;
}

struct Holder {
  std::string process;
  std::string name;
};

// Nothing when this user may not look into the process that has the socket.
std::optional<Holder> holder_of(const ForeignListener& listener) {
  const fs::path all = "/proc";
  Directory processes(all.string());
  while (const auto entry = processes.next()) {
    std::string process(*entry);
    if (process.find_first_not_of("0123456789") != process.npos) continue;
    if (!sockets_of(all / process).contains(listener.inode)) continue;
    std::string name;
    std::getline(std::ifstream(all / process / "comm"), name);
    return Holder{std::move(process), std::move(name)};
  }
  return std::nullopt;
}

std::vector<ForeignListener> all_listeners() {
  std::vector<ForeignListener> found;
  read_socket_table([&found](const SocketRow& row) {
    if (row.state == SocketRow::State::listening) found.push_back({row.local, row.inode, row.uid});
    return false;
  });
  return found;
}

}  // namespace

std::optional<ForeignListener> find_foreign_listener(const SocketAddress& address) {
  std::set<std::uint64_t> ours;
  for (const ForeignListener& listener : all_listeners()) {
    if (!overlap(listener.address, address)) continue;
    if (ours.empty()) ours = sockets_of("/proc/self");
    if (!ours.contains(listener.inode)) return listener;
  }
  return std::nullopt;
}

bool is_of_service_manager(const ForeignListener& listener) {
  const auto holder = holder_of(listener);
  return holder && holder->name == "systemd";
}

bool is_of_this_program(const ForeignListener& listener) {
  const auto holder = holder_of(listener);
  return holder && holder->name == "sallyport";
}

std::string describe(const ForeignListener& listener) {
  if (const auto holder = holder_of(listener)) return holder->name + " (process " + holder->process + ")";
  return "a process of user " + std::to_string(listener.uid);
}

}  // namespace sallyport::uv
