// Supervisor: the process's own loop, beside those of the workers: the commands of the supervising process, the control
// socket, reloads, the names of servers, and the order of the end.
//
// It runs on the main thread and ends last, after every worker's thread. Nothing of a mail happens on it, so SIGTERM,
// `sallyport stats` and `sallyport upstreams` work until the last session of the last worker is over, whatever a
// worker's loop is doing meanwhile (threats.md R12).
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "gateway/app/control_server.h"
#include "gateway/app/drain_reports.h"
#include "gateway/app/reload.h"
#include "gateway/app/succession.h"
#include "gateway/app/worker.h"
#include "gateway/async/nursery.h"
#include "gateway/resolver/resolver.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

class Supervisor {
 public:
  // All but `at_start` outlive it. From here on the signals are its own; what arrives before run() is dealt with there.
  // Throws uv::NoResources.
  Supervisor(CommonParts& common, SnapshotBuilder& builder, const std::vector<std::unique_ptr<Worker>>& workers,
             const Built& at_start, uv::BoundSocket control_socket);

  // Returns when one_has_ended() has been called for each worker, and those who have asked are answered.
  void run() noexcept;
  // From any thread: a worker's run() has returned.
  void one_has_ended() noexcept;

 private:
  Task<void> obey();
  bool carry_out_what_was_asked() noexcept;
  void carry_out_end(int request);
  void carry_out_hand_over();
  void begin_last_answers() noexcept;
  void end() noexcept;
  Metrics figures();
  Task<void> answer_the_rest();
  Task<void> ask_systemd_for_time();
  Task<void> watch_loops();

  CommonParts& common_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  uv::Loop loop_;
  uv::Dialer dialer_;
  uv::DatagramDialer datagrams_;
  resolver::Resolver resolver_;
  Reloader reloader_;
  Succession succession_;
  DrainReports drain_;
  ControlServer control_;
  async::Nursery tasks_;
  // What was asked for by signals. obey() does it, again and again where there is no memory for it, so no signal is
  // lost.
  async::Signal asked_;
  int endings_asked_ = 0;
  int endings_done_ = 0;
  bool is_end_announced_ = false;
  bool reload_asked_ = false;
  bool hand_over_asked_ = false;
  uv::Signals endings_;
  uv::Signals hangups_;
  uv::Signals handovers_;
  std::atomic<std::size_t> ended_ = 0;
  std::atomic<bool> is_over_ = false;
};

}  // namespace sallyport::app
