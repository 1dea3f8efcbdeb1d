#include "gateway/state/list_files.h"

#include <pthread.h>
#include <sys/stat.h>

#include <exception>
#include <system_error>
#include <tuple>

#include "gateway/base/blocked_signals.h"
#include "gateway/base/heap.h"

namespace sallyport::state {

namespace {

constexpr std::size_t long_list = std::size_t{1} << 20;  // octets

// By what a file is known to have changed.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t octets = -1;  // -1: there is no such file
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  friend bool operator==(const Stamp& a, const Stamp& b) {
    return std::tie(a.device, a.inode, a.octets, a.seconds, a.nanoseconds) ==
           std::tie(b.device, b.inode, b.octets, b.seconds, b.nanoseconds);
  }
};

Stamp stamp_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return {about.st_dev, about.st_ino, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
}

}  // namespace

class ListFiles::Live final : public io::LiveList {
 public:
  Live(std::string path, Stamp stamp, std::shared_ptr<const EntryList> list)
      : path(std::move(path)), tried_(stamp), seen_(stamp), list_(std::move(list)) {}

  std::shared_ptr<const EntryList> now() const override {
    const std::lock_guard lock(mutex_);
    return list_;
  }

  // True when the file is another one than was read or tried last, and as it was at the look before.
  bool is_to_be_read() {
    const Stamp stamp = stamp_of(path);
    const bool is_settled = stamp == seen_;
    seen_ = stamp;
    if (!is_settled || stamp == tried_) return false;
    tried_ = stamp;
    return true;
  }
  // Empty, or why the list stays as it was.
  std::string read_again() {
    auto read = EntryList::read(path, now()->kind());
    if (!read) return read.error().message;
    std::shared_ptr<const EntryList> before = std::move(*read);
    const std::lock_guard lock(mutex_);
    list_.swap(before);
    return {};
  }

  const std::string path;

 private:
  // Of the thread that watches.
  Stamp tried_;
  Stamp seen_;

  mutable std::mutex mutex_;
  std::shared_ptr<const EntryList> list_;
};

ListFiles::~ListFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_now_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

Result<std::shared_ptr<const io::LiveList>> ListFiles::open(const std::string& path, EntryKind kind) {
  const std::lock_guard opening(opening_);
  const std::pair<std::string, EntryKind> place(path, kind);
  {
    const std::lock_guard lock(mutex_);
    const auto found = lists_.find(place);
    if (found != lists_.end()) {
      if (auto live = found->second.lock()) return std::shared_ptr<const io::LiveList>(std::move(live));
    }
  }
  const Stamp stamp = stamp_of(path);  // before it is read: a change meanwhile is seen
  auto list = EntryList::read(path, kind);
  if (!list) return std::move(list).error();
  auto live = std::make_shared<Live>(path, stamp, std::move(*list));
  const std::lock_guard lock(mutex_);
  std::erase_if(lists_, [](const auto& one) { return one.second.expired(); });
  lists_[place] = live;
  return std::shared_ptr<const io::LiveList>(std::move(live));
}

bool ListFiles::watch(Log& log, Duration interval) {
  const BlockedSignals blocked;  // in its thread
  try {
    watcher_ = std::thread([this, &log, interval] {
      ::pthread_setname_np(::pthread_self(), "lists");
      watch_for_ever(log, interval);
    });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void ListFiles::watch_for_ever(Log& log, Duration interval) {
  std::unique_lock lock(mutex_);
  while (!ending_now_.wait_for(lock, interval, [this] { return ending_; })) {
    lock.unlock();
    look(log);
    lock.lock();
  }
}

std::vector<std::shared_ptr<ListFiles::Live>> ListFiles::in_use() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Live>> all;
  for (const auto& [place, list] : lists_) {
    if (auto live = list.lock()) all.push_back(std::move(live));
  }
  return all;
}

void ListFiles::look(Log& log) {
  try {
    for (const std::shared_ptr<Live>& live : in_use()) {
      if (!live->is_to_be_read()) continue;
      const std::string problem = live->read_again();
      // The C library keeps what the text and the old list leave behind, more than the list's own size.
      if (live->now()->octets() >= long_list) trim_heap();
      if (problem.empty()) {
        const auto entries = static_cast<std::int64_t>(live->now()->size());
        log.write(LogLevel::info, "list_read", {{"file", live->path}, {"entries", entries}});
        continue;
      }
      counters_.add(Fault::reload_failed);
      log.write(LogLevel::warning, "fault",
                {{"kind", name(Fault::reload_failed)}, {"detail", problem + "; the list stays as it was"}});
    }
  } catch (const std::exception&) {
    counters_.add(Fault::resource);  // no memory: the lists stay as they are
  }
}

}  // namespace sallyport::state
