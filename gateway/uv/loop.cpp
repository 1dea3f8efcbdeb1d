#include "gateway/uv/loop.h"

#include <uv.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "gateway/uv/handle.h"

namespace sallyport::uv {

struct Loop::Handles {
  uv_loop_t loop;
  uv_async_t wake_up;
  uv_timer_t timer;
};

namespace {

void require(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string("event loop: ") + what + ": " + uv_strerror(code));
}

}  // namespace

Loop::Loop() : scheduler_(now()), handles_(std::make_unique<Handles>()) {
  require(uv_loop_init(&handles_->loop), "cannot be made");
  handles_->loop.data = this;
  int code = uv_async_init(&handles_->loop, &handles_->wake_up,
                           [](uv_async_t* async) { static_cast<Loop*>(async->loop->data)->run_posted(); });
  if (code < 0) uv_loop_close(&handles_->loop);
  require(code, "cannot be woken");
  uv_timer_init(&handles_->loop, &handles_->timer);
  handles_->wake_up.data = nullptr;
  handles_->timer.data = nullptr;
}

Loop::~Loop() {
  is_closing_ = true;
  uv_walk(
      &handles_->loop,
      [](uv_handle_t* raw, void*) {
        if (uv_is_closing(raw)) return;
        if (raw->data) {
          static_cast<Handle*>(raw->data)->close_handle();
        } else {
          uv_close(raw, nullptr);
        }
      },
      nullptr);
  // Repeated, because a pending uv_stop() would end the first run early.
  while (uv_run(&handles_->loop, UV_RUN_DEFAULT) != 0) {
  }
  uv_loop_close(&handles_->loop);
}

uv_loop_t* Loop::raw() noexcept { return &handles_->loop; }

Time Loop::now() noexcept { return Time(Duration(static_cast<Duration::rep>(uv_hrtime()))); }

void Loop::run() {
  leave_requested_ = false;
  end_turn();  // coroutines may have been made ready before run()
  while (!leave_requested_ && !stop_requested_) uv_run(&handles_->loop, UV_RUN_DEFAULT);
  stop_requested_ = false;
  if (posted_error_) std::rethrow_exception(std::exchange(posted_error_, nullptr));
}

void Loop::stop() noexcept {
  stop_requested_ = true;
  uv_async_send(&handles_->wake_up);
}

void Loop::post(std::function<void()> function) {
  {
    std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(function));
  }
  uv_async_send(&handles_->wake_up);
}

void Loop::leave_run() noexcept {
  leave_requested_ = true;
  uv_stop(&handles_->loop);
}

void Loop::run_posted() {
  if (is_closing_) return;
  Turn turn(*this);
  update_time();
  std::vector<std::function<void()>> functions;
  {
    std::lock_guard lock(posted_mutex_);
    functions.swap(posted_);
  }
  for (auto& function : functions) {
    try {
      function();
    } catch (...) {
      // An exception must not pass through libuv's C frames; run() throws it after the loop has stopped.
      if (!posted_error_) posted_error_ = std::current_exception();
      leave_run();
    }
  }
  if (stop_requested_) uv_stop(&handles_->loop);
}

void Loop::update_time() { scheduler_.advance(now()); }

void Loop::end_turn() {
  if (is_closing_) return;
  update_time();
  scheduler_.run_ready();
  // Nearly every deadline is set for later than the armed one and cleared long before it is due. So on most turns this
  // comparison is all there is to do, and the wheel is not searched.
  Time earliest = scheduler_.timers().take_earliest_set();
  if (earliest < armed_for_) arm_timer(earliest);
}

void Loop::timer_fired() {
  armed_for_ = Time::max();
  end_turn();
  auto next = scheduler_.timers().next();
  if (next && *next < armed_for_) arm_timer(*next);
}

void Loop::arm_timer(Time when) {
  armed_for_ = when;
  // libuv counts whole milliseconds from its own cached time. We add one: waking up too early and sleeping again costs
  // more than a deadline that is a millisecond late.
  uv_update_time(&handles_->loop);
  auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::max(when - now(), Duration::zero()));
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { static_cast<Loop*>(timer->loop->data)->timer_fired(); },
      static_cast<std::uint64_t>(wait.count()) + 1, 0);
}

}  // namespace sallyport::uv
