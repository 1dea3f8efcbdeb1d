#include "gateway/state/store.h"

#include <pthread.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sallyport::state {

namespace {

namespace fs = std::filesystem;

constexpr int most_tries_at_the_end = 3;

// A name beside the file that nothing has yet: "state.db.damaged-1764434882".
std::string name_to_set_aside(const std::string& path, WallTime now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::string name = path + ".damaged-" + std::to_string(seconds);
  std::error_code error;
  while (fs::exists(fs::symlink_status(name, error))) name += "x";
  return name;
}

// What SQLite has beside the file belongs to it: left behind, it would be taken for the new one's.
Result<std::string> set_aside(const std::string& path, WallTime now) {
  const std::string name = name_to_set_aside(path, now);
  for (const char* suffix : {"-wal", "-shm", ""}) {
    std::error_code error;
    fs::rename(path + suffix, name + suffix, error);
    const bool is_missing = error == std::errc::no_such_file_or_directory;
    if (error && !is_missing) return Failure{"cannot rename " + path + suffix + ": " + error.message()};
  }
  return name;
}

// What stands where SQLite needs a file of ours and is none: a directory in place of the database, or beside it a log
// that cannot be read. Empty: nothing. An ordinary database that cannot be opened (of another user) is no obstacle.
std::string obstacle(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string name = path + suffix;
    std::error_code error;
    const fs::file_status status = fs::symlink_status(name, error);
    if (!fs::exists(status)) continue;
    if (fs::is_directory(status)) return name + " is a directory";
    const bool is_log = *suffix != '\0';
    if (is_log && (!fs::is_regular_file(status) || ::access(name.c_str(), R_OK | W_OK) != 0)) {
      return name + " cannot be read";
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_or_set_aside(const std::string& path, Counters& counters, Log& log,
                                                    WallTime now) {
  auto opened = Database::open(path, Database::Missing::create);
  if (opened) return std::move(*opened);
  std::string why = opened.error().message;
  if (!opened.error().is_damaged) {
    const std::string in_the_way = obstacle(path);
    if (in_the_way.empty()) return Failure{why};
    why = in_the_way;
  }
  const auto name = set_aside(path, now);
  if (!name) return Failure{why + "; " + name.error().message};
  counters.add(Fault::state);
  log.write(LogLevel::warning, "fault",
            {{"kind", sallyport::name(Fault::state)},
             {"detail", why + "; it is kept as " + *name + ", and an empty one was begun"}});
  auto fresh = Database::open(path, Database::Missing::create);
  if (fresh) return std::move(*fresh);
  return Failure{fresh.error().message};
}

std::string database_path(const std::string& state_path) { return state_path + "/state.db"; }

Store::Store(std::unique_ptr<Database> database, Counters& counters, Log& log, std::size_t most_queued,
             Duration gathering_time)
    : database_(std::move(database)),
      counters_(counters),
      log_(log),
      most_queued_(most_queued),
      gathering_time_(gathering_time) {
  // So that neither submit() nor the writer allocates.
  queue_.reserve(most_queued_);
  batch_.reserve(most_queued_);
  writer_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "store");
    write_for_ever();
  });
}

Store::~Store() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  work_.notify_one();
  writer_.join();
}

void Store::submit(Write write) noexcept {
  bool has_room = false;
  bool is_awaited = false;  // the writer waits for it, or has now enough
  {
    const std::lock_guard lock(mutex_);
    has_room = queue_.size() < most_queued_;
    if (has_room) queue_.push_back(std::move(write));
    is_awaited = queue_.size() == 1 || queue_.size() == worth_a_transaction();
  }
  if (!has_room) return drop(1, "more to write than the disk takes");
  if (is_awaited) work_.notify_one();
}

void Store::flush() {
  std::unique_lock lock(mutex_);
  ++flushing_;
  work_.notify_one();
  idle_.wait(lock, [this] { return queue_.empty() && !writing_; });
  --flushing_;
}

void Store::write_for_ever() {
  std::unique_lock lock(mutex_);
  // The two vectors are swapped each time and keep their capacity.
  Time next_transaction{};
  while (true) {
    work_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    work_.wait_until(lock, next_transaction,
                     [this] { return ending_ || flushing_ > 0 || queue_.size() >= worth_a_transaction(); });
    batch_.swap(queue_);
    writing_ = true;
    lock.unlock();
    for (int tries = 1; !write_batch(batch_); ++tries) {
      // Each try waits as long as a DatabaseTransaction does. At its end the program does not wait for ever.
      if (!is_ending() || tries < most_tries_at_the_end) continue;
      drop(batch_.size(), "another process holds the database");
      break;
    }
    batch_.clear();
    next_transaction = std::chrono::steady_clock::now() + gathering_time_;
    lock.lock();
    writing_ = false;
    idle_.notify_all();
  }
}

bool Store::is_ending() {
  const std::lock_guard lock(mutex_);
  return ending_;
}

bool Store::write_batch(const std::vector<Write>& batch) {
  try {
    auto written = try_batch(batch);
    if (!written && database_->was_locked()) return false;
    if (!written) drop(batch.size(), written.error().message);
  } catch (const std::exception& mistake) {
    drop(batch.size(), mistake.what());
  }
  return true;
}

Result<Done> Store::try_batch(const std::vector<Write>& batch) {
  auto transaction = DatabaseTransaction::begin(*database_);
  if (!transaction) return std::move(transaction).error();
  for (const Write& write : batch) {
    auto written = write(*database_);
    if (!written) return written;
  }
  return transaction->commit();
}

void Store::drop(std::size_t writes, std::string_view why) noexcept {
  counters_.add(Fault::state, writes);
  try {
    log_.write(LogLevel::warning, "fault", {{"kind", name(Fault::state)}, {"detail", why}});
  } catch (const std::exception&) {
    counters_.add(Fault::log);
  }
}

}  // namespace sallyport::state
