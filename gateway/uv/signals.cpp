#include "gateway/uv/signals.h"

#include <uv.h>

#include <csignal>
#include <exception>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

class Signals::Watcher final : public Handle {
 public:
  Watcher(Loop& loop, int signal, const Caught& caught) : loop_(loop), caught_(caught) {
    uv_signal_init(loop.raw(), &signal_);
    own(reinterpret_cast<uv_handle_t*>(&signal_));
    code_ = uv_signal_start(
        &signal_,
        [](uv_signal_t* raw, int number) { static_cast<Watcher*>(static_cast<Handle*>(raw->data))->on_signal(number); },
        signal);
  }
  bool is_watching() const noexcept { return code_ == 0; }

 private:
  void on_signal(int number) noexcept {
    Turn turn(loop_);
    loop_.update_time();
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
  int code_ = 0;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals, Caught caught) : caught_(std::move(caught)) {
  watchers_.reserve(signals.size());
  for (int signal : signals) watchers_.push_back(new Watcher(loop, signal, caught_));
  for (const Watcher* watcher : watchers_) ensure(watcher->is_watching(), "Signals: a signal cannot be caught");
}

Signals::~Signals() {
  for (Watcher* watcher : watchers_) watcher->close_handle();
}

void ignore_sigpipe() noexcept { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace sallyport::uv
