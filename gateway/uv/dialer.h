// Dialer: io::Dialer on libuv, on the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "gateway/io/dialer.h"
#include "gateway/uv/transparent_sockets.h"

namespace sallyport::uv {

class Loop;

class Dialer final : public io::Dialer {
 public:
  explicit Dialer(Loop& loop) noexcept : loop_(loop) {}
  // `transparent`: what dial_from() gets its sockets from.
  Dialer(Loop& loop, std::unique_ptr<TransparentSockets> transparent) noexcept
      : loop_(loop), transparent_(std::move(transparent)) {}

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_from(IpAddress from, SocketAddress to,
                                                                 Time deadline) override;
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_unix(std::string path, Time deadline) override;

 private:
  Loop& loop_;
  std::unique_ptr<TransparentSockets> transparent_;  // null: there are none
};

}  // namespace sallyport::uv
