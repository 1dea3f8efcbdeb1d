// The embedded store: the file state.db, written by one thread, later than what is written happened.
//
// Whoever has something to keep hands over a Write and goes on: it never waits for the disk. The writer takes what has
// gathered, in one transaction. When the queue is full, or the file cannot be written (disk full), Writes are dropped
// and counted as Fault::state, one line in the log for each batch: mail flows on without its records (threats.md R6).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/result.h"
#include "gateway/state/database.h"

namespace sallyport::state {

// Where the state of a gateway is: <state.path>/state.db.
std::string database_path(const std::string& state_path);

class Store {
 public:
  // Runs on the writer's thread, inside a transaction. A Failure undoes the whole batch.
  using Write = std::function<Result<Done>(Database&)>;

  // `counters` and `log` outlive it; `most_queued` Writes wait at the most.
  Store(std::unique_ptr<Database> database, Counters& counters, Log& log, std::size_t most_queued = 10000);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  // Writes what is queued, then ends the thread.
  ~Store();

  // Any thread; does not wait.
  void submit(Write write) noexcept;
  // Waits until all that was submitted before has been written or dropped.
  void flush();

 private:
  void write_for_ever();
  void write_batch(const std::vector<Write>& batch);
  Result<Done> try_batch(const std::vector<Write>& batch);
  void drop(std::size_t writes, std::string_view why) noexcept;

  std::unique_ptr<Database> database_;  // the writer's
  Counters& counters_;
  Log& log_;
  const std::size_t most_queued_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::vector<Write> queue_;
  bool writing_ = false;
  bool ending_ = false;
  std::thread writer_;  // last: uses all the others
};

}  // namespace sallyport::state
