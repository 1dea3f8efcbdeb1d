// Companion: the process for figures and health (`sallyport admin`) beside the one that serves, as the supervising
// process keeps it: started when what serves says that its configuration has an address for it, and again when it has
// ended. Mail never depends on it, and it lives through the deaths of what serves: it is what says that there is none.
//
// It has no link. What it serves it reads from the configuration itself.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/units.h"
#include "gateway/supervise/restarts.h"

namespace sallyport::supervise {

class Companion {
 public:
  // `arguments`: after the program's name; empty: somebody else looks after it, and nothing is ever started. The caller
  // keeps them.
  explicit Companion(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  // What serves wants this from now on: "" is no companion; another text, or another program's file, is another one in
  // the place of that which runs. A missing `program` is that of this process.
  void settle(std::string_view wanted, const Descriptor& program);
  // Starts what is wanted, when its time has come.
  void start_if_due(Time time, const Descriptor& program);
  std::optional<Time> due() const { return due_; }
  // A child has ended. True if it was the companion; the next one is due then.
  bool is_ended(pid_t pid, int status, Time time);
  // The whole gateway is to end; what runs goes on until then.
  void start_no_more() noexcept;
  // For good; returns when it has ended.
  void end() noexcept;

  // Over an upgrade; 0: it does not run.
  pid_t pid() const { return pid_; }
  const std::string& wanted() const { return wanted_; }
  bool is_told_to_end() const { return is_told_to_end_; }
  void resume(pid_t pid, std::string wanted, bool is_told_to_end);

 private:
  using FileId = std::pair<dev_t, ino_t>;
  static FileId id_of(const Descriptor& program) noexcept;
  void start(Time time, const Descriptor& program);

  const std::vector<std::string>& arguments_;
  std::string wanted_;
  pid_t pid_ = 0;
  FileId file_{};  // of the program that runs
  Time started_{};
  bool is_told_to_end_ = false;
  bool is_over_ = false;
  std::optional<Time> due_;
  Restarts restarts_;
};

}  // namespace sallyport::supervise
