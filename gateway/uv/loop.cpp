#include "gateway/uv/loop.h"

#include <uv.h>

#include <algorithm>
#include <string>

#include "gateway/uv/handle.h"
#include "gateway/uv/no_resources.h"
#include "gateway/uv/watcher_room.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::uv {

struct Loop::Handles {
  uv_loop_t loop;
  uv_async_t wake_up;
  uv_timer_t timer;
  uv_idle_t no_sleep;     // while it is active, the loop looks for events without waiting for one
  uv_check_t after_look;  // called when the events that were found have been handled
  std::optional<WatcherRoom> room;
};

namespace {

void require(int code, const char* what) {
  if (code < 0) throw NoResources(std::string("event loop: ") + what + ": " + uv_strerror(code));
}

}  // namespace

Loop::Loop(WorkPool* work_pool) : scheduler_(now()), handles_(std::make_unique<Handles>()), work_pool_(work_pool) {
  WatcherRoom::serve_libuv();
  require(uv_loop_init(&handles_->loop), "cannot be made");
  handles_->loop.data = this;
  handles_->room.emplace(handles_->loop);
  int code = uv_async_init(&handles_->loop, &handles_->wake_up,
                           [](uv_async_t* async) { static_cast<Loop*>(async->loop->data)->run_posted(); });
  if (code < 0) uv_loop_close(&handles_->loop);
  require(code, "cannot be woken");
  uv_timer_init(&handles_->loop, &handles_->timer);
  handles_->wake_up.data = nullptr;
  uv_idle_init(&handles_->loop, &handles_->no_sleep);
  uv_check_init(&handles_->loop, &handles_->after_look);
  handles_->timer.data = handles_->no_sleep.data = handles_->after_look.data = nullptr;
  uv_check_start(&handles_->after_look, [](uv_check_t* check) { static_cast<Loop*>(check->loop->data)->has_looked(); });
}

Loop::~Loop() {
  is_closing_ = true;
  wait_for_jobs();
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

bool Loop::make_room_for(int descriptor) noexcept { return handles_->room->make_for(descriptor); }

Time Loop::now() noexcept { return Time(Duration(static_cast<Duration::rep>(uv_hrtime()))); }

void Loop::run() {
  leave_requested_ = false;
  update_time();
  end_step();  // coroutines may have been made ready before run()
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

// The pool wakes the loop while it holds the mutex: as soon as the destructor has seen the last job's end, nothing of
// the loop may be touched any more.
void Loop::job_has_ended(Work& work) noexcept {
  const std::lock_guard lock(posted_mutex_);
  work.next_ = std::exchange(ended_jobs_, &work);
  job_ended_.notify_one();
  uv_async_send(&handles_->wake_up);
}

void Loop::finish_jobs(Work* ended) noexcept {
  while (ended) {
    Work* const work = std::exchange(ended, ended->next_);
    --jobs_;
    work->finish();
  }
}

void Loop::wait_for_jobs() noexcept {
  while (jobs_ > 0) {
    std::unique_lock lock(posted_mutex_);
    job_ended_.wait(lock, [this] { return ended_jobs_ != nullptr; });
    Work* const ended = std::exchange(ended_jobs_, nullptr);
    lock.unlock();
    finish_jobs(ended);
  }
}

void Loop::leave_run() noexcept {
  leave_requested_ = true;
  uv_stop(&handles_->loop);
}

void Loop::run_posted() {
  if (is_closing_) return;
  Turn turn(*this);
  std::vector<std::function<void()>> functions;
  Work* ended = nullptr;
  {
    std::lock_guard lock(posted_mutex_);
    functions.swap(posted_);
    ended = std::exchange(ended_jobs_, nullptr);
  }
  finish_jobs(ended);
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

// Before anything is made of the events that are there: what comes of them may have a deadline that is over.
void Loop::update_time() noexcept {
  const Time time = now();
  notice_standstill(time);
  scheduler_.set_time(time);
}

void Loop::notice_standstill(Time time) noexcept {
  if (patient_until_ || time - expected_at_ <= standstill) return;
  patient_until_ = time + patience;
  scheduler_.note_standstill(*patient_until_);
}

void Loop::end_step() {
  if (is_closing_) return;
  scheduler_.run_ready();
  if (scheduler_.wants_turn()) look_again();
  // Nearly every deadline is set for later than the armed one and cleared long before it is due. So in most steps this
  // comparison is all there is to do, and the wheel is not searched.
  Time earliest = scheduler_.timers().take_earliest_set();
  if (earliest < armed_for_) arm_timer(earliest);
}

// libuv calls this before it looks for events.
void Loop::timer_is_due() {
  if (is_closing_) return;
  update_time();
  if (lag_) lag_->add(scheduler_.now() - expected_at_);
  if (patient_until_ && scheduler_.now() < *patient_until_) return arm_timer(*patient_until_);
  patient_until_.reset();
  expected_at_ = Time::max();  // until it is armed again
  scheduler_.collect_due();
  has_collected_ = true;
  look_again();
}

void Loop::look_again() noexcept {
  uv_idle_start(&handles_->no_sleep, [](uv_idle_t*) {});
}

// libuv calls this in each turn, when the callbacks of the events have returned.
void Loop::has_looked() {
  scheduler_.begin_turn();
  const bool has_work = has_collected_ || scheduler_.wants_turn();
  // Also when there is no work: who wanted this turn may have been dropped meanwhile.
  uv_idle_stop(&handles_->no_sleep);
  if (!has_work || is_closing_) return;
  update_time();
  const bool has_fired = std::exchange(has_collected_, false);
  if (has_fired) {
    scheduler_.fire_due();
    armed_for_ = Time::max();
  }
  end_step();
  if (!has_fired) return;
  const auto next = scheduler_.timers().next();
  if (next && *next < armed_for_) arm_timer(*next);
}

void Loop::arm_timer(Time when) {
  if (patient_until_) when = std::max(when, *patient_until_);
  armed_for_ = when;
  const Time time = now();
  expected_at_ = std::max(when, time);
  // libuv counts whole milliseconds from its own cached time. We add one: waking up too early and sleeping again costs
  // more than a deadline that is a millisecond late.
  uv_update_time(&handles_->loop);
  auto wait = std::chrono::ceil<std::chrono::milliseconds>(expected_at_ - time);
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { static_cast<Loop*>(timer->loop->data)->timer_is_due(); },
      static_cast<std::uint64_t>(wait.count()) + 1, 0);
}

}  // namespace sallyport::uv
