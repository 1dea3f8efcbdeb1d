// The daemon's side of the control socket: one request, one answer, from whoever may open the socket.
#pragma once

#include "gateway/app/common_parts.h"
#include "gateway/async/nursery.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

class ControlServer {
 public:
  ControlServer(CommonParts& common, uv::Loop& loop, uv::BoundSocket socket);

 private:
  Task<void> answer(std::unique_ptr<io::Stream> stream);
  std::string respond(std::string_view line) const;

  CommonParts& common_;
  uv::Loop& loop_;
  uv::Listener listener_;
  async::Nursery nursery_;
};

}  // namespace sallyport::app
