#include "gateway/app/drain_reports.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/metric_sums.h"
#include "gateway/control/client.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

// On the work pool: the other process may be slow, and the figures of many tenants are some megabytes of JSON.
struct Telling {
  std::string socket;
  control::Drained told;
  Duration patience;
  std::optional<control::DrainedTaken> operator()() {
    const std::string line = control::encode_drained(told);
    if (line.size() > control::max_drained_bytes) return std::nullopt;
    const auto answer = control::ask(socket, line, patience);
    if (!answer) return std::nullopt;
    const auto taken = control::decode_drained_taken(*answer);
    return taken ? std::optional(*taken) : std::nullopt;
  }
};

std::uint64_t number_of(const Metrics& metrics, std::string_view name) {
  return static_cast<std::uint64_t>(std::max(value_of(metrics, name), 0.0));
}

// The kernel gives a number again, and in a container each process may have the same one.
std::string name_of_this_process() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(::getpid()) + "-" + std::to_string(now.count());
}

}  // namespace

control::Drained DrainReport::next(Metrics now, bool is_last) {
  last_ = std::move(now);
  control::Drained told;
  told.process = process_;
  told.number = ++number_;
  told.taker = taker_;
  told.grown = growth(base_, last_);
  told.sessions = number_of(last_, "sallyport_sessions");
  told.memory = number_of(last_, "sallyport_memory_bytes");
  told.is_last = is_last;
  return told;
}

bool DrainReport::heard(const control::DrainedTaken& answer) {
  if (answer.taken) {
    taker_ = answer.by;
    taken_ = last_;
    return false;
  }
  if (taker_.empty() || answer.by == taker_) return false;  // it has no room
  base_ = std::exchange(taken_, {});
  taker_.clear();
  return true;
}

DrainReports::DrainReports(uv::Loop& loop, std::string socket, std::function<Metrics()> figures)
    : loop_(loop),
      process_(name_of_this_process()),
      socket_(std::move(socket)),
      figures_(std::move(figures)),
      telling_(loop.scheduler()) {}

void DrainReports::begin() {
  if (report_) return;
  try {
    report_.emplace(process_, figures_());
    telling_.spawn(tell_again_and_again());
  } catch (const std::bad_alloc&) {
    // What is counted from here on is in no figures then.
  }
}

Task<void> DrainReports::tell_again_and_again() {
  while (true) {
    try {
      co_await tell(false, patience);
    } catch (const std::bad_alloc&) {
      // It is told a second later.
    }
    co_await async::sleep_for(loop_.scheduler(), interval);
  }
}

Task<void> DrainReports::tell_last() {
  if (!report_) co_return;
  telling_.cancel();
  co_await tell(true, last_patience);
}

// What is not told now is told with the next one.
Task<void> DrainReports::tell(bool is_last, Duration time) {
  constexpr int most_changes = 3;  // of the process that has the place, between two messages
  for (int i = 0; i < most_changes; ++i) {
    Telling telling{socket_, report_->next(figures_(), is_last), time};
    const auto answer = co_await uv::on_worker(loop_, std::move(telling));
    if (!answer || !report_->heard(*answer)) co_return;
  }
}

}  // namespace sallyport::app
