// ControlServer: the daemon's side of the control socket (gateway/control/protocol.h): one request, one answer. The
// socket's mode decides who may ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/app/drain_reports.h"
#include "gateway/app/drained_figures.h"
#include "gateway/app/moment.h"
#include "gateway/app/reload.h"
#include "gateway/app/succession.h"
#include "gateway/app/worker.h"
#include "gateway/async/nursery.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

class ControlServer {
 public:
  // All of it outlives the server.
  ControlServer(CommonParts& common, Reloader& reloader, Succession& succession, DrainReports& drain,
                const std::vector<std::unique_ptr<Worker>>& workers, uv::Loop& loop, uv::BoundSocket socket);
  // Another process has the place of this socket now; what has connected is answered.
  void give_up_place() {
    listener_.leave_file();
    listener_.stop();
  }
  bool is_answering() const { return answering_ > 0; }

 private:
  Task<void> answer(std::unique_ptr<io::Stream> stream);
  Task<std::string> respond(std::string line);
  std::string stats();
  std::string metrics();
  std::string upstreams() const;
  Moment moment() const;
  std::string lists() const;
  Task<std::string> sessions(std::string line);
  Task<std::string> drained(std::string line);
  std::string hand_over();
  std::string drain();

  CommonParts& common_;
  Reloader& reloader_;
  Succession& succession_;
  DrainReports& drain_;
  DrainedFigures drained_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  uv::Loop& loop_;
  uv::Listener listener_;
  std::size_t answering_ = 0;
  async::Nursery nursery_;
};

}  // namespace sallyport::app
