// Store: the embedded store, the file state.db, written by a thread of its own.
//
// Callers hand over a Write and continue; they never wait for the disk. The writer runs all queued Writes in one
// transaction, at once where none was run for a while; after a transaction it lets those of the next tenth of a second
// gather, so that busy mail costs ten transactions a second and not one for each mail. If the queue is full or the file
// cannot be written (disk full), Writes are dropped and counted as Fault::state, with one log line per batch: mail is
// relayed without its records (threats.md R6). While another process holds the file, they wait: then nothing is lost as
// long as the queue has room.
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

  // `counters` and `log` must outlive the store. At most `most_queued` Writes wait; with half of them the writer waits
  // no longer for others to gather.
  Store(std::unique_ptr<Database> database, Counters& counters, Log& log, std::size_t most_queued = 10000,
        Duration gathering_time = std::chrono::milliseconds(100));
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  // Writes everything queued, then joins the thread.
  ~Store();

  // Any thread; never waits.
  void submit(Write write) noexcept;
  // Blocks until everything submitted before has been written or dropped; the writer begins at once.
  void flush();

 private:
  void write_for_ever();
  // How many queued Writes are enough to begin.
  std::size_t worth_a_transaction() const { return most_queued_ / 2 + 1; }
  // False when another process holds the file: the batch is to be tried again.
  bool write_batch(const std::vector<Write>& batch);
  bool is_ending();
  Result<Done> try_batch(const std::vector<Write>& batch);
  void drop(std::size_t writes, std::string_view why) noexcept;

  std::unique_ptr<Database> database_;  // used by the writer's thread only
  Counters& counters_;
  Log& log_;
  const std::size_t most_queued_;
  const Duration gathering_time_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::vector<Write> queue_;
  unsigned flushing_ = 0;  // callers of flush() that wait
  bool writing_ = false;
  bool ending_ = false;
  std::vector<Write> batch_;  // the writer's alone
  std::thread writer_;        // last member: the thread uses all the others
};

}  // namespace sallyport::state
