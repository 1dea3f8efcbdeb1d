// Dialer: io::Dialer on libuv, on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "gateway/io/dialer.h"

namespace sallyport::uv {

class Loop;

class Dialer final : public io::Dialer {
 public:
  explicit Dialer(Loop& loop) noexcept : loop_(loop) {}

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_unix(std::string path, Time deadline) override;

 private:
  Loop& loop_;
};

}  // namespace sallyport::uv
