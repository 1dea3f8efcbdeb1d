// Dialer: connects to other hosts, and to services of this one by their unix-domain socket.
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
  // `refused` too when nothing is at that path.
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_unix(std::string path, Time deadline);

 private:
  Loop& loop_;
};

}  // namespace sallyport::uv
