// TransparentSockets: for one loop, TCP sockets that may be bound to the address of another host.
//
// The process that reads what strangers send has no capabilities (threats.md V1), and making such a socket takes one.
// So a helper process makes them (gateway/app/transparent_helper.h), and sends them over a socket pair of which this
// holds one end. Nothing waits on the loop: the asking coroutine is suspended until the answer has come or its deadline
// has passed. A socket that comes too late is kept for who asks next.
#pragma once

#include <functional>

#include "gateway/async/task.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"
#include "gateway/uv/descriptor.h"
#include "gateway/uv/transparent_messages.h"

namespace sallyport::uv {

class Loop;
class TransparentHandle;

class TransparentSockets {
 public:
  // `channel`: our end. `when_lost` is called at most once, on the loop's thread, when the helper has gone.
  TransparentSockets(Loop& loop, Descriptor channel, std::function<void()> when_lost);
  TransparentSockets(const TransparentSockets&) = delete;
  TransparentSockets& operator=(const TransparentSockets&) = delete;
  ~TransparentSockets();

  // Non-blocking, neither bound nor connected. `no_helper` when there is no answer by the deadline, or will be none;
  // other errors are those of making a socket. The task must end before this object does.
  Task<Result<Descriptor, io::Error>> take(IpFamily family, Time deadline);

 private:
  TransparentHandle& handle_;
};

}  // namespace sallyport::uv
