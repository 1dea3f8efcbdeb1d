#include "gateway/milter_library/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "gateway/milter_library/system_log.h"

namespace sallyport::milter_library {

namespace {

constexpr int most_accepted_in_a_turn = 64;
constexpr std::uint64_t tick_milliseconds = 1000;
constexpr std::uint64_t stopping_tick_milliseconds = 20;
constexpr std::uint64_t growth_milliseconds = 5;
constexpr std::uint64_t shortage_milliseconds = 1000;
constexpr std::uint32_t overdue_look_seconds = 5;  // with long deadlines, which need no finer look
constexpr std::uint32_t patience_seconds = 5;      // for messages under way, when stopped gracefully
constexpr int callback_patience_seconds = 5;       // for callbacks that run

// Stay blocked afterwards too, as libmilter leaves them.
::sigset_t block_stopping_signals() {
  ::sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void set_options(int descriptor) {
  const int yes = 1;
  // Each answer is a small packet that the MTA waits for. Both fail on a unix-domain socket, which needs neither.
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

}  // namespace

bool StopCall::open() noexcept {
  if (opener_ == ::getpid()) return true;
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return false;
  event_ = event;
  opener_ = ::getpid();
  return true;
}

void StopCall::call() noexcept {
  is_called_ = true;  // first: run() looks at it after open()
  const int event = event_;
  if (event < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

void StopCall::forget() noexcept {
  is_called_ = false;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto octets = ::read(event_, &count, sizeof count);
}

Server::Server(Filter filter, ServingRules rules, ListeningSocket listening, StopCall& stop_call)
    : name_(filter.name),
      rules_(rules),
      listening_(std::move(listening)),
      stop_call_(stop_call),
      workers_(std::make_shared<Workers>(std::move(filter), rules)) {}

// What libuv calls is a C callback: nothing may be thrown through it.
template <void (Server::*member)()>
void Server::call(::uv_handle_t* handle) noexcept {
  auto& server = *static_cast<Server*>(handle->data);
  try {
    (server.*member)();
  } catch (const std::exception& error) {
    log_line(Gravity::error, server.name_, error.what());
  }
}

bool Server::open_loop() {
  if (::uv_loop_init(&loop_) != 0) return false;
  const auto own = [this](auto& handle) { handle.data = this; };
  own(listening_handle_);
  own(signal_handle_);
  own(stop_handle_);
  own(busy_handle_);
  own(growth_);
  own(tick_);
  own(shortage_);
  ::uv_timer_init(&loop_, &tick_);
  ::uv_timer_init(&loop_, &growth_);
  ::uv_timer_init(&loop_, &shortage_);
  int error = ::uv_poll_init(&loop_, &listening_handle_, listening_.descriptor.get());
  if (error == 0) error = ::uv_poll_init(&loop_, &signal_handle_, signals_.get());
  if (error == 0) error = ::uv_poll_init(&loop_, &stop_handle_, stop_call_.descriptor());
  if (error == 0) error = ::uv_poll_init(&loop_, &busy_handle_, workers_->busy_descriptor());
  if (error != 0) return false;
  listen_on();
  watch_workers();
  ::uv_poll_start(&signal_handle_, UV_READABLE, [](::uv_poll_t* handle, int, int) {
    call<&Server::on_signal>(reinterpret_cast<::uv_handle_t*>(handle));
  });
  ::uv_poll_start(&stop_handle_, UV_READABLE, [](::uv_poll_t* handle, int, int) {
    call<&Server::on_stop_call>(reinterpret_cast<::uv_handle_t*>(handle));
  });
  ::uv_timer_start(
      &tick_, [](::uv_timer_t* handle) { call<&Server::on_tick>(reinterpret_cast<::uv_handle_t*>(handle)); },
      tick_milliseconds, tick_milliseconds);
  return true;
}

void Server::close_loop() {
  const auto close = [](::uv_handle_t* handle, void*) {
    if (::uv_is_closing(handle) == 0) ::uv_close(handle, nullptr);
  };
  ::uv_walk(&loop_, close, nullptr);
  ::uv_run(&loop_, UV_RUN_DEFAULT);
  ::uv_loop_close(&loop_);
}

void Server::listen_on() {
  ::uv_poll_start(&listening_handle_, UV_READABLE, [](::uv_poll_t* handle, int, int) {
    call<&Server::on_connection>(reinterpret_cast<::uv_handle_t*>(handle));
  });
}

void Server::watch_workers() {
  ::uv_poll_start(&busy_handle_, UV_READABLE, [](::uv_poll_t* handle, int, int) {
    call<&Server::on_busy>(reinterpret_cast<::uv_handle_t*>(handle));
  });
}

// While no worker waits, a timer watches, and the descriptor is left alone.
void Server::on_busy() {
  ::uv_poll_stop(&busy_handle_);
  ::uv_timer_start(
      &growth_, [](::uv_timer_t* handle) { call<&Server::on_growth>(reinterpret_cast<::uv_handle_t*>(handle)); },
      growth_milliseconds, growth_milliseconds);
}

void Server::on_growth() {
  if (workers_->grow()) return;
  ::uv_timer_stop(&growth_);
  workers_->calm();
  watch_workers();
}

bool Server::run() {
  const ::sigset_t signals = block_stopping_signals();
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_ || !stop_call_.open() || !workers_->start()) {
    log_line(Gravity::error, name_, "no descriptors or threads to begin with");
    return false;
  }
  if (!open_loop()) {
    log_line(Gravity::error, name_, "no loop to begin with");
    workers_->end(callback_patience_seconds);
    return false;
  }
  if (stop_call_.is_called()) begin_stop(Stopping::gracefully);
  ::uv_run(&loop_, UV_RUN_DEFAULT);
  close_loop();
  if (!workers_->end(callback_patience_seconds)) log_line(Gravity::warning, name_, "a callback still runs at the end");
  return true;
}

void Server::on_connection() {
  for (int i = 0; i < most_accepted_in_a_turn; ++i) {
    const int descriptor = ::accept4(listening_.descriptor.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) {
      set_options(descriptor);
      if (!workers_->add(descriptor)) log_line(Gravity::error, name_, "no memory for a connection");
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return;
    // Out of descriptors or memory: whoever waits stays in the queue, and the loop does not spin over it.
    const int error = errno;
    ::uv_poll_stop(&listening_handle_);
    ::uv_timer_start(
        &shortage_,
        [](::uv_timer_t* handle) { call<&Server::on_shortage_over>(reinterpret_cast<::uv_handle_t*>(handle)); },
        shortage_milliseconds, 0);
    log_line(Gravity::error, name_, std::string("accept: ") + std::strerror(error));
    return;
  }
}

void Server::on_shortage_over() {
  if (stopping_ == Stopping::no) listen_on();
}

void Server::on_signal() {
  ::signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == static_cast<::ssize_t>(sizeof signal))
    begin_stop(signal.ssi_signo == static_cast<std::uint32_t>(SIGINT) ? Stopping::at_once : Stopping::gracefully);
}

void Server::on_stop_call() {
  ::uv_poll_stop(&stop_handle_);
  begin_stop(Stopping::gracefully);
}

void Server::begin_stop(Stopping how) {
  if (stopping_ != Stopping::at_once) workers_->stop(how);
  if (stopping_ == Stopping::no) {
    stops_at_ = monotonic_seconds() + patience_seconds;
    ::uv_close(reinterpret_cast<::uv_handle_t*>(&listening_handle_), nullptr);
    listening_.descriptor.reset();
    remove_path(listening_);
    ::uv_timer_start(
        &tick_, [](::uv_timer_t* handle) { call<&Server::on_tick>(reinterpret_cast<::uv_handle_t*>(handle)); }, 0,
        stopping_tick_milliseconds);
  }
  if (stopping_ != Stopping::at_once) stopping_ = how;
}

void Server::on_tick() {
  const std::uint32_t now = monotonic_seconds();
  Connections& connections = workers_->connections();
  if (stopping_ == Stopping::no) {
    if (now - last_look_ < std::min(rules_.io_seconds, overdue_look_seconds)) return;
    last_look_ = now;
    connections.end_overdue(now);
    return;
  }
  // Again and again: a worker may have looked just before the stop, and armed its connection just after.
  connections.end_idle(stopping_ == Stopping::at_once || now >= stops_at_);
  if (connections.count() == 0 || now >= stops_at_ + callback_patience_seconds) ::uv_stop(&loop_);
}

}  // namespace sallyport::milter_library
