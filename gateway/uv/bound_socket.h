// BoundSocket: a listening socket that no loop serves yet.
//
// Binding may need privileges that serving must not have, so start-up has three steps: bind everything, drop
// privileges, start the loops. Once a socket is bound, the kernel queues connections until a loop accepts them. Every
// worker binds a socket of its own to the same address (SO_REUSEPORT); the kernel spreads connections over them. A
// socket from systemd is one socket, shared by all workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::uv {

// Why an address could not be bound: in words, with the address, and the system's number for it.
struct BindFailure {
  std::string message;
  int error = 0;  // errno
};

// Who else keeps a listening socket open when this process closes it.
enum class Keeper : std::uint8_t { nobody_else, service_manager };

// Who may connect to a unix-domain socket: the mode of its file, and the group; empty: that of the process.
struct UnixAccess {
  unsigned mode = 0660;
  std::string group = {};
};

class BoundSocket {
 public:
  BoundSocket(BoundSocket&&) noexcept = default;
  BoundSocket& operator=(BoundSocket&& other) noexcept;
  ~BoundSocket();  // removes the file of a unix-domain socket that bind_unix_listener() created

  int descriptor() const noexcept { return descriptor_.get(); }
  // The bound address, with the port the kernel chose if 0 was asked for. Meaningless for a unix-domain socket.
  const SocketAddress& address() const noexcept { return address_; }
  bool is_unix() const noexcept { return is_unix_; }
  // Then it is not ours to change: clients who connect later wait in its queue for the next process.
  Keeper keeper() const noexcept { return keeper_; }
  // The file of a unix-domain socket stays: another process is about to put its own there.
  void leave_file() noexcept { path_.clear(); }

 private:
  friend Result<BoundSocket, BindFailure> bind_listener(SocketAddress address);
  friend Result<std::vector<BoundSocket>, BindFailure> bind_listeners(SocketAddress address, std::size_t count);
  friend Result<BoundSocket> bind_unix_successor(const std::string& path);
  friend Result<BoundSocket> bind_unix_listener(const std::string& path, const UnixAccess& access);
  friend Result<std::vector<BoundSocket>, BindFailure> bind_unix_listeners(const std::string& path,
                                                                           const UnixAccess& access, std::size_t count);
  friend Result<BoundSocket> adopt_listener(Descriptor socket, Keeper keeper);
  explicit BoundSocket(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}
  void remove_file() noexcept;

  Descriptor descriptor_;
  SocketAddress address_;
  bool is_unix_ = false;
  Keeper keeper_ = Keeper::nobody_else;
  std::string path_;
  std::uint64_t device_ = 0;  // with inode_: the file that was made at path_
  std::uint64_t inode_ = 0;
};

// Binds a TCP address. [::] serves IPv4 too; on a host without IPv6, 0.0.0.0 is bound in its place. The address may be
// shared with other processes of this user.
Result<BoundSocket, BindFailure> bind_listener(SocketAddress address);
// Binds a TCP address that no other process listens at: one socket for each of `count` workers (at least one). While
// another process does, waits half a second, in which a predecessor that is ending may go, and then fails, naming the
// process. Not for a loop's thread.
Result<std::vector<BoundSocket>, BindFailure> bind_listeners(SocketAddress address, std::size_t count);
// Binds a unix-domain socket. A socket file that no process serves any more is replaced. It is an error if a process
// still serves it or if the file is not a socket.
Result<BoundSocket> bind_unix_listener(const std::string& path, const UnixAccess& access = {});
// The same beside the path, where another process serves at it: nobody finds the socket until take_place_at() has put
// it there. The name that it has until then ends with ".next".
Result<BoundSocket> bind_unix_successor(const std::string& path);
// In one step: there is a socket at the path all the time.
Result<Done> take_place_at(const std::string& path);
// Removes what bind_unix_successor() made, where it has not come to its place.
void give_up_place_at(const std::string& path) noexcept;
// As bind_unix_listener(), for `count` workers (at least one), which share it. Its file stays when they are closed,
// because the process that follows this one may have taken the socket over.
Result<std::vector<BoundSocket>, BindFailure> bind_unix_listeners(const std::string& path, const UnixAccess& access,
                                                                  std::size_t count);
// Why bind_unix_listener() would not take this place; nothing: no reason is known, or systemd listens there, which may
// hand the socket over. Changes nothing.
std::optional<Failure> objection_to_unix_place(const std::string& path);
// Takes over a socket that is already listening, as systemd or a supervisor passes it. An error if it does not listen.
Result<BoundSocket> adopt_listener(Descriptor socket, Keeper keeper = Keeper::service_manager);

}  // namespace sallyport::uv
