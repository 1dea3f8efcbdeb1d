// ListFiles: the lists of rules, for all workers; those of web servers are in UrlLists. A thread looks every second
// whether a file has changed, and reads it again when it has stayed the same for a look, so that a file that is being
// written is not read half. One that cannot be read, or has a line that is no entry, leaves the list as it was; that is
// counted (Fault::reload_failed) and logged, once for each change of the file.
//
// A list that nobody uses any more, after a reload, is no longer looked at.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/units.h"
#include "gateway/io/list_files.h"
#include "gateway/state/url_lists.h"

namespace sallyport::state {

class ListFiles final : public io::ListFiles {
 public:
  explicit ListFiles(Counters& counters) : counters_(counters), urls_(counters) {}
  ~ListFiles() override;

  Result<std::shared_ptr<const io::LiveList>> open(const std::string& path, EntryKind kind) override;
  Result<std::shared_ptr<const io::LiveList>> open(const io::ListAddress& address, EntryKind kind) override {
    return urls_.open(address, kind);
  }
  UrlLists& urls() { return urls_; }
  // Starts the thread, which handles no signals; false: the system gives none. `log` must outlive this object.
  bool watch(Log& log, Duration interval = std::chrono::seconds(1));
  // What the thread does at each look.
  void look(Log& log);

 private:
  class Live;

  void watch_for_ever(Log& log, Duration interval);
  std::vector<std::shared_ptr<Live>> in_use();

  Counters& counters_;
  UrlLists urls_;
  std::mutex opening_;  // held while a file is read, so that it is read once
  std::mutex mutex_;
  std::map<std::pair<std::string, EntryKind>, std::weak_ptr<Live>> lists_;
  std::condition_variable ending_now_;
  bool ending_ = false;
  std::thread watcher_;
};

}  // namespace sallyport::state
