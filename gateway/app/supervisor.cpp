#include "gateway/app/supervisor.h"

#include <chrono>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "gateway/app/loop_watch.h"
#include "gateway/app/metric_report.h"
#include "gateway/async/wait.h"
#include "gateway/control/protocol.h"
#include "gateway/supervise/commands.h"

namespace sallyport::app {

namespace {

// While it drains: how often systemd is asked to wait on, and for how long each time.
constexpr Duration asking_interval = std::chrono::seconds(3);
constexpr std::chrono::microseconds asked_time = std::chrono::seconds(20);
// A process that has not ended so long after the time of a drain never will; systemd may kill it then.
constexpr Duration end_after_drain = std::chrono::seconds(10);

// How long those who have asked over the control socket may take to read the answer, when all else has ended.
constexpr Duration last_answers_time = std::chrono::seconds(2);
constexpr Duration last_answers_interval = std::chrono::milliseconds(10);

std::string asking() { return "EXTEND_TIMEOUT_USEC=" + std::to_string(asked_time.count()); }

}  // namespace

Supervisor::Supervisor(CommonParts& common, SnapshotBuilder& builder,
                       const std::vector<std::unique_ptr<Worker>>& workers, const Built& at_start,
                       uv::BoundSocket control_socket)
    : common_(common),
      workers_(workers),
      loop_(common.work_pool.get()),
      dialer_(loop_),
      datagrams_(loop_),
      resolver_(loop_.scheduler(), datagrams_, dialer_, common.dns_cache, common.at_start->dns, common.counters,
                *common.log),
      reloader_(common, builder, workers, at_start, loop_, resolver_),
      succession_(common.link, reloader_, loop_),
      drain_(loop_, control::socket_path(common.at_start->state.path), [this] { return figures(); }),
      control_(common, reloader_, succession_, drain_, workers, loop_, std::move(control_socket)),
      tasks_(loop_.scheduler()),
      asked_(loop_.scheduler()),
      endings_(loop_, {supervise::end_command()},
               [this](int) {
                 ++endings_asked_;
                 asked_.notify();
               }),
      hangups_(loop_, {supervise::reload_command()},
               [this](int) {
                 reload_asked_ = true;
                 asked_.notify();
               }),
      handovers_(loop_, {supervise::hand_over_command()}, [this](int) {
        hand_over_asked_ = true;
        asked_.notify();
      }) {
  tasks_.spawn(obey());
  loop_.measure_lag(common.loop_lags.emplace_back("main").times);
  reloader_.tell_certificate_age();
  tasks_.spawn(reloader_.watch_certificates());
  tasks_.spawn(reloader_.follow_names());
  if (common_.board) {
    tasks_.spawn(note_turns(loop_.scheduler(), *common_.board, common_.watched_loops));
    tasks_.spawn(watch_loops());
  }
  if (common_.store) tasks_.spawn(reloader_.remember_servers());
}

void Supervisor::run() noexcept {
  while (!is_over_) {
    try {
      loop_.run();
    } catch (const std::exception& error) {  // of a posted function, for want of memory
      note_internal_fault(common_, error.what());
    }
  }
  // What follows (records, the log, the store) may take its time; the supervising process would take that for a stall.
  if (common_.board) common_.board->forget(common_.watched_loops);
}

void Supervisor::one_has_ended() noexcept {
  if (++ended_ < workers_.size()) return;
  try {
    loop_.post([this] { begin_last_answers(); });
  } catch (const std::bad_alloc&) {
    end();
  }
}

void Supervisor::begin_last_answers() noexcept {
  try {
    tasks_.spawn(answer_the_rest());
  } catch (const std::bad_alloc&) {
    end();
  }
}

void Supervisor::end() noexcept {
  is_over_ = true;
  loop_.stop();
}

Metrics Supervisor::figures() {
  const Moment moment{uv::Loop::now(), std::chrono::system_clock::now(), common_.started};
  return daemon_state(common_, reloader_.current(), moment, reloader_.is_stopping()).metrics;
}

// Who asked for an upgrade is to hear that there was one; and the process that serves now, how the last sessions ended.
Task<void> Supervisor::answer_the_rest() {
  try {
    co_await drain_.tell_last();
  } catch (const std::bad_alloc&) {
    // Then the other process knows what it was told before.
  }
  const Time limit = loop_.scheduler().now() + last_answers_time;
  while (control_.is_answering() && loop_.scheduler().now() < limit) {
    co_await async::sleep_for(loop_.scheduler(), last_answers_interval);
  }
  end();
}

// Its frame is there from the start, and it takes no memory while it waits.
Task<void> Supervisor::obey() {
  constexpr Duration next_try = std::chrono::milliseconds(200);
  while (true) {
    const bool is_done = carry_out_what_was_asked();
    co_await asked_.wait(is_done ? async::no_deadline : loop_.scheduler().now() + next_try);
  }
}

// False: some of it is to be tried again. To do the same twice does no harm.
bool Supervisor::carry_out_what_was_asked() noexcept {
  try {
    for (; endings_done_ < endings_asked_; ++endings_done_) carry_out_end(endings_done_ + 1);
    if (hand_over_asked_) carry_out_hand_over();
    hand_over_asked_ = false;
    if (reload_asked_) tasks_.spawn(reloader_.reload_by_signal());
    reload_asked_ = false;
    return true;
  } catch (const std::exception& error) {
    note_internal_fault(common_, error.what());
    return false;
  }
}

// The first: what is under way may finish. The second: it is broken off, whichever worker has it. The third: nothing is
// waited for, not even the farewells.
void Supervisor::carry_out_end(int request) {
  if (request == 1) {
    reloader_.stop();
    if (!std::exchange(is_end_announced_, true)) {
      common_.link.notify("STOPPING=1\n" + asking());
      common_.log->write(LogLevel::info, "stopping", {});
    }
    for (const auto& worker : workers_) worker->drain();
    tasks_.spawn(ask_systemd_for_time());
  } else if (request == 2) {
    for (const auto& worker : workers_) worker->break_off();
  } else {
    for (const auto& worker : workers_) worker->end_now();
  }
}

// Sessions go on as if nothing had happened, and nothing is said to the peers.
void Supervisor::carry_out_hand_over() {
  reloader_.supersede();
  control_.give_up_place();
  const std::vector<std::string>& gone = succession_.gone_addresses();
  common_.log->write(LogLevel::info, "handed_over",
                     {{"sessions", static_cast<std::int64_t>(common_.slots.sessions())}});
  for (const auto& worker : workers_) worker->hand_over(gone);
  drain_.begin();
}

Task<void> Supervisor::watch_loops() {
  LoopWatch watch(workers_.size());
  while (true) {
    co_await async::sleep_for(loop_.scheduler(), LoopWatch::interval);
    try {
      for (const LoopWatch::Stall& stall : watch.look(*common_.board, loop_.scheduler().now())) {
        common_.counters.add(Fault::loop_stall);
        const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(stall.length).count();
        common_.log->write(LogLevel::error, "fault",
                           {{"kind", name(Fault::loop_stall)},
                            {"worker", static_cast<std::int64_t>(stall.loop + 1)},
                            {"ms", static_cast<std::int64_t>(length)}});
      }
    } catch (const std::bad_alloc&) {
      // Then it is not told.
    }
  }
}

Task<void> Supervisor::ask_systemd_for_time() {
  const Time end = loop_.scheduler().now() + reloader_.current().settings->timeouts.drain + end_after_drain;
  const std::string request = asking();
  while (loop_.scheduler().now() < end) {
    co_await async::sleep_for(loop_.scheduler(), asking_interval);
    common_.link.notify(request);
  }
}

}  // namespace sallyport::app
