// Store: the embedded store, the file state.db, written by a thread of its own.
//
// Callers hand over a Write and continue; they never wait for the disk. The writer runs all queued Writes in one
// transaction. If the queue is full or the file cannot be written (disk full), Writes are dropped and counted as
// Fault::state, with one log line per batch: mail is relayed without its records (threats.md R6). While another process
// holds the file, they wait: then nothing is lost as long as the queue has room.
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
#include "gateway/base/units.h"
#include "gateway/state/database.h"

namespace sallyport::state {

// The path of the database: <state.path>/state.db.
std::string database_path(const std::string& state_path);

// Opens the database, or makes it. What cannot be used in its place (a damaged one after a crash of the machine, one of
// a version that this program does not know, a directory, a log of SQLite's that cannot be read) is set aside under
// another name beside it, with a line in the log, and an empty one is begun: mail does not wait for somebody to look at
// the file.
Result<std::unique_ptr<Database>> open_or_set_aside(const std::string& path, Counters& counters, Log& log,
                                                    WallTime now);

class Store {
 public:
  // Runs on the writer's thread, inside a transaction. A Failure rolls back the whole batch.
  using Write = std::function<Result<Done>(Database&)>;

  // `counters` and `log` must outlive the store. At most `most_queued` Writes wait.
  Store(std::unique_ptr<Database> database, Counters& counters, Log& log, std::size_t most_queued = 10000);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  // Writes everything queued, then joins the thread.
  ~Store();

  // Any thread; never waits.
  void submit(Write write) noexcept;
  // Blocks until everything submitted before has been written or dropped.
  void flush();

 private:
  void write_for_ever();
  // False when another process holds the file: the batch is to be tried again.
  bool write_batch(const std::vector<Write>& batch);
  bool is_ending();
  Result<Done> try_batch(const std::vector<Write>& batch);
  void drop(std::size_t writes, std::string_view why) noexcept;

  std::unique_ptr<Database> database_;  // used by the writer's thread only
  Counters& counters_;
  Log& log_;
  const std::size_t most_queued_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::vector<Write> queue_;
  bool writing_ = false;
  bool ending_ = false;
  std::thread writer_;  // last member: the thread uses all the others
};

}  // namespace sallyport::state
