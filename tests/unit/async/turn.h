// What these tests need of a loop: a scheduler with a clock turned by hand, and a nursery for the coroutines under
// test.
#pragma once

#include <string>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"

namespace sallyport::async {

struct Turn {
  Scheduler scheduler{Time(std::chrono::hours(1))};
  Nursery nursery{scheduler};

  Time now() const { return scheduler.now(); }
  void run(Task<void> task) {
    nursery.spawn(std::move(task));
    scheduler.run_ready();
  }
  // The clock moves on, as a driver would do it: what is due fires, what it wakes runs.
  void pass(Duration duration) {
    scheduler.advance(scheduler.now() + duration);
    scheduler.run_ready();
  }
};

// Writes a word when it is destroyed: it tells when a frame has ended.
class Farewell {
 public:
  Farewell(std::vector<std::string>& notes, std::string word) : notes_(notes), word_(std::move(word)) {}
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() { notes_.push_back(word_); }

 private:
  std::vector<std::string>& notes_;
  std::string word_;
};

using Notes = std::vector<std::string>;

// Gives `value` once the signal was told.
inline Task<int> after(Signal& signal, int value) {
  co_await signal.wait();
  co_return value;
}

inline Task<int> after(Scheduler& scheduler, Duration duration, int value) {
  co_await sleep_for(scheduler, duration);
  co_return value;
}

inline Task<int> at_once(int value) { co_return value; }

}  // namespace sallyport::async
