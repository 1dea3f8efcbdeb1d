// Dialer: opens TCP connections to other hosts, with TCP_NODELAY, because each of our writes is a whole group of
// replies or commands. Errors: refused, unreachable, timed_out, exhausted (no descriptor, port or memory).
#pragma once

#include <memory>

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
};

}  // namespace sallyport::io
