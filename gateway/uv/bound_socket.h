// BoundSocket: a socket that listens, and that no loop serves yet.
//
// Binding needs privileges that serving must not have, so it is a step of its own: first bind everything, then drop
// them, then start. From the moment it is bound the kernel keeps connections waiting for whoever will accept them.
// Every worker binds a socket of its own to the same address (SO_REUSEPORT); the kernel spreads connections over them.
#pragma once

#include <string>

#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::uv {

class BoundSocket {
 public:
  BoundSocket(BoundSocket&&) noexcept = default;
  BoundSocket& operator=(BoundSocket&& other) noexcept;
  ~BoundSocket();  // removes the file of a unix-domain socket that it made

  int descriptor() const noexcept { return descriptor_.get(); }
  // Where it is bound, with the port the kernel chose when 0 was asked for. Of no use for a unix-domain socket.
  const SocketAddress& address() const noexcept { return address_; }
  bool is_unix() const noexcept { return is_unix_; }

 private:
  friend Result<BoundSocket> bind_listener(SocketAddress address);
  friend Result<BoundSocket> bind_unix_listener(const std::string& path);
  friend Result<BoundSocket> adopt_listener(Descriptor socket);
  explicit BoundSocket(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}
  void remove_file() noexcept;

  Descriptor descriptor_;
  SocketAddress address_;
  bool is_unix_ = false;
  std::string path_;
};

// Binds a TCP address. [::] serves IPv4 too, and is 0.0.0.0 on a host without IPv6.
Result<BoundSocket> bind_listener(SocketAddress address);
// Binds a unix-domain socket with mode 0660. A file left by a process that is gone is replaced; one that somebody still
// serves, or that is no socket, is an error.
Result<BoundSocket> bind_unix_listener(const std::string& path);
// Takes a socket that is already listening, as systemd hands it over.
Result<BoundSocket> adopt_listener(Descriptor socket);

}  // namespace sallyport::uv
