#include "gateway/state/store.h"

#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sallyport::state {

namespace {

namespace fs = std::filesystem;

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

}  // namespace

Result<std::unique_ptr<Database>> open_or_set_aside(const std::string& path, Counters& counters, Log& log,
                                                    WallTime now) {
  auto opened = Database::open(path, Database::Missing::create);
  if (opened) return std::move(*opened);
  if (!opened.error().is_damaged) return Failure{opened.error().message};
  const auto name = set_aside(path, now);
  if (!name) return Failure{opened.error().message + "; " + name.error().message};
  counters.add(Fault::state);
  log.write(LogLevel::warning, "fault",
            {{"kind", sallyport::name(Fault::state)},
             {"detail", opened.error().message + "; it is kept as " + *name + ", and an empty one was begun"}});
  auto fresh = Database::open(path, Database::Missing::create);
  if (fresh) return std::move(*fresh);
  return Failure{fresh.error().message};
}

std::string database_path(const std::string& state_path) { return state_path + "/state.db"; }

Store::Store(std::unique_ptr<Database> database, Counters& counters, Log& log, std::size_t most_queued)
    : database_(std::move(database)), counters_(counters), log_(log), most_queued_(most_queued) {
  queue_.reserve(most_queued_);  // so that submit() allocates nothing
  writer_ = std::thread([this] { write_for_ever(); });
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
  {
    const std::lock_guard lock(mutex_);
    has_room = queue_.size() < most_queued_;
    if (has_room) queue_.push_back(std::move(write));
  }
  if (has_room) {
    work_.notify_one();
  } else {
    drop(1, "more to write than the disk takes");
  }
}

void Store::flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && !writing_; });
}

void Store::write_for_ever() {
  std::unique_lock lock(mutex_);
  // The two vectors are swapped each time and keep their capacity.
  std::vector<Write> batch;
  batch.reserve(most_queued_);
  while (true) {
    work_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    batch.swap(queue_);
    writing_ = true;
    lock.unlock();
    write_batch(batch);
    batch.clear();
    lock.lock();
    writing_ = false;
    idle_.notify_all();
  }
}

void Store::write_batch(const std::vector<Write>& batch) {
  try {
    auto written = try_batch(batch);
    if (!written) drop(batch.size(), written.error().message);
  } catch (const std::exception& mistake) {
    drop(batch.size(), mistake.what());
  }
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
