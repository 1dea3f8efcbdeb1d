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
      drain_(loop_, name_of_this_process(), control::socket_path(common.at_start->state.path),
             [this] { return figures(); }),
      control_(common, reloader_, succession_, drain_, workers, loop_, std::move(control_socket)),
      tasks_(loop_.scheduler()),
      endings_(loop_, {supervise::end_command()}, [this](int) { on_ending_signal(); }),
      hangups_(loop_, {supervise::reload_command()}, [this](int) { tasks_.spawn(reloader_.reload_by_signal()); }),
      handovers_(loop_, {supervise::hand_over_command()}, [this](int) { on_hand_over(); }) {
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
  co_await drain_.tell_last();
  const Time limit = loop_.scheduler().now() + last_answers_time;
  while (control_.is_answering() && loop_.scheduler().now() < limit) {
    co_await async::sleep_for(loop_.scheduler(), last_answers_interval);
  }
  end();
}

// Once: what is under way may finish. Again: it is broken off, whichever worker has it. Once more: nothing is waited
// for, not even the farewells.
void Supervisor::on_ending_signal() {
  const int request = endings_asked_ + 1;
  if (request == 1) {
    common_.link.notify("STOPPING=1\n" + asking());
    common_.log->write(LogLevel::info, "stopping", {});
    reloader_.stop();
    for (const auto& worker : workers_) worker->drain();
    tasks_.spawn(ask_systemd_for_time());
  } else if (request == 2) {
    for (const auto& worker : workers_) worker->break_off();
  } else {
    for (const auto& worker : workers_) worker->end_now();
  }
  endings_asked_ = request;  // not when memory ran out meanwhile: then the same signal can be sent again
}

// Sessions go on as if nothing had happened, and nothing is said to the peers.
void Supervisor::on_hand_over() {
  reloader_.supersede();
  control_.give_up_place();
  const std::vector<std::string> gone = succession_.take_gone_addresses();
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
  while (loop_.scheduler().now() < end) {
    co_await async::sleep_for(loop_.scheduler(), asking_interval);
    common_.link.notify(asking());
  }
}

}  // namespace sallyport::app
