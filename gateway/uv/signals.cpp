#include "gateway/uv/signals.h"

#include <uv.h>

#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/no_resources.h"

namespace sallyport::uv {

class Signals::Watcher final : public Handle {
 public:
  // Throws NoResources.
  static Watcher* start(Loop& loop, int signal, const Caught& caught) {
    auto watcher = std::unique_ptr<Watcher>(new Watcher(loop, caught));
    require(uv_signal_init(loop.raw(), &watcher->signal_));
    Watcher* started = watcher.release();  // from here on it is deleted by closing it
    started->own(reinterpret_cast<uv_handle_t*>(&started->signal_));
    const int code = uv_signal_start(
        &started->signal_,
        [](uv_signal_t* raw, int number) { static_cast<Watcher*>(static_cast<Handle*>(raw->data))->on_signal(number); },
        signal);
    if (code < 0) started->close_handle();
    require(code);
    return started;
  }

 private:
  Watcher(Loop& loop, const Caught& caught) : loop_(loop), caught_(caught) {}

  static void require(int code) {
    if (code < 0) throw NoResources(std::string("signals cannot be caught: ") + uv_strerror(code));
  }

  void on_signal(int number) noexcept {
    Turn turn(loop_);
    try {
      caught_(number);
    } catch (const std::exception&) {
      // An exception must not pass through libuv's C frames. If memory ran out, this signal is lost and can be sent
      // again.
    }
  }

  Loop& loop_;
  const Caught& caught_;
  uv_signal_t signal_;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals, Caught caught) : caught_(std::move(caught)) {
  watchers_.reserve(signals.size());
  try {
    for (int signal : signals) watchers_.push_back(Watcher::start(loop, signal, caught_));
  } catch (...) {
    for (Watcher* watcher : watchers_) watcher->close_handle();
    throw;
  }
}

Signals::~Signals() {
  for (Watcher* watcher : watchers_) watcher->close_handle();
}

void block_signals_to_the_end() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void ignore_sigpipe() noexcept { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace sallyport::uv
