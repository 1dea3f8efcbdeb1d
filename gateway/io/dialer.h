// Dialer: opens connections to other hosts over TCP, with TCP_NODELAY, because each of our writes is a whole group of
// replies or commands; and to services on this host over unix-domain sockets. Errors: refused, unreachable, timed_out,
// exhausted (no descriptor, port or memory).
#pragma once

#include <memory>
#include <string>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"
#include "gateway/io/stream.h"

namespace sallyport::io {

class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual Task<Result<std::unique_ptr<Stream>, Error>> dial(SocketAddress to, Time deadline) = 0;
  // As dial(), from this address of another host, which is of the family of `to` (client_info = "tproxy"). `no_helper`
  // where such sockets are not to be had; a dialer that has no sockets never has them.
  virtual Task<Result<std::unique_ptr<Stream>, Error>> dial_from(IpAddress, SocketAddress, Time) {
    co_return Error::no_helper;
  }
  // Gives `refused` when nothing listens at that path or there is no file. A dialer that has no sockets refuses all.
  virtual Task<Result<std::unique_ptr<Stream>, Error>> dial_unix(std::string, Time) { co_return Error::refused; }
};

}  // namespace sallyport::io
