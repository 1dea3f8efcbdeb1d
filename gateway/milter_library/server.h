// Server: what smfi_main() does until it returns, on the thread that calls it: accepts connections, hands them to the
// workers, ends those that wait too long, and stops when told to.
//
// SIGTERM, SIGHUP and smfi_stop() stop gracefully: nothing new is accepted, connections without a message under way
// end, a message under way may come to its verdict within the patience. SIGINT stops at once. Callbacks that run are
// waited for, with an end to that too: a filter whose callback never returns still gets back from smfi_main().
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "gateway/milter_library/socket_place.h"
#include "gateway/milter_library/workers.h"

namespace sallyport::milter_library {

// Tells a server, from any thread or a signal handler, that smfi_stop() was called. Lives as long as the process.
class StopCall {
 public:
  // Opens the descriptor that becomes readable by a call. A process that comes from a fork opens one of its own:
  // filters fork after smfi_register(), and the call of one process is none of the others'. False: there is no
  // descriptor.
  bool open() noexcept;
  void call() noexcept;  // before open() too
  bool is_called() const noexcept { return is_called_; }
  void forget() noexcept;
  int descriptor() const noexcept { return event_; }

 private:
  std::atomic<int> event_ = -1;  // never closed: a signal handler may be about to write into it
  ::pid_t opener_ = 0;
  std::atomic<bool> is_called_ = false;
};

class Server {
 public:
  Server(Filter filter, ServingRules rules, ListeningSocket listening, StopCall& stop_call);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() = default;

  // Blocks until it has stopped. False: it could not begin.
  bool run();

 private:
  template <void (Server::*member)()>
  static void call(::uv_handle_t* handle) noexcept;
  bool open_loop();
  void close_loop();
  void on_connection();
  void on_signal();
  void on_stop_call();
  void on_busy();
  void on_growth();
  void on_tick();
  void on_shortage_over();
  void listen_on();
  void watch_workers();
  void begin_stop(Stopping how);

  const std::string name_;
  const ServingRules rules_;
  ListeningSocket listening_;
  StopCall& stop_call_;
  std::shared_ptr<Workers> workers_;
  Descriptor signals_;
  ::uv_loop_t loop_{};
  ::uv_poll_t listening_handle_{};
  ::uv_poll_t signal_handle_{};
  ::uv_poll_t stop_handle_{};
  ::uv_poll_t busy_handle_{};
  ::uv_timer_t growth_{};
  ::uv_timer_t tick_{};
  ::uv_timer_t shortage_{};
  Stopping stopping_ = Stopping::no;
  std::uint32_t stops_at_ = 0;  // monotonic seconds
  std::uint32_t last_look_ = 0;
};

}  // namespace sallyport::milter_library
