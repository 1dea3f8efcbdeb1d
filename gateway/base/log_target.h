// The target of the log: a file of its own, the process's standard error stream, or the systemd journal. Private to the
// log.
//
// The journal is spoken to by its own protocol (log_journal.h) where somebody listens at its socket: when the target is
// `journal`, and also when it is `stderr` and that goes to the journal. Else lines of `journal` go to standard error.
//
// A file is opened for appending, with mode 0640. A symbolic link in its place is refused, and for root a hard link and
// links on the way, too, unless they are root's own (trusted_place.h): root may open the log in a directory that
// belongs to another user, who could otherwise choose a file for root to write to (threats.md V1). reopen() opens the
// path again after somebody has moved the file away. By then the process runs as the user who serves, who needs
// permission to create the file, or to write to one that was created for him.
//
// Other processes share the standard error stream. O_NONBLOCK would apply to their descriptors, too, so it is not set.
// Instead write() calls poll(2) and then writes at most PIPE_BUF octets, which a pipe reported as writable takes
// without blocking. Only one thread may use a LogTarget at a time.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/journal_socket.h"
#include "gateway/base/result.h"

namespace sallyport {

class LogTarget {
 public:
  // `target` is stderr, journal, journal:/path (a journal with another socket) or file:/path. Without a standard error
  // stream each write() fails.
  static Result<LogTarget> open(const std::string& target);
  LogTarget(LogTarget&& other) noexcept;
  LogTarget& operator=(LogTarget&& other) noexcept;
  ~LogTarget();

  // Writes until the target has taken everything or fails. Returns within a tenth of a second if `give_up` becomes true
  // while the target has no room. Only a slow disk, or another process that fills the pipe between poll(2) and
  // write(2), can hold the caller longer. Returns how many octets the target took.
  std::size_t write(std::string_view octets, const std::atomic<bool>& give_up);
  // Opens the path again. Does nothing if there is no path, or if the file there is the one that is open. After a
  // Failure the old file stays in use.
  Result<Done> reopen();

  // Each write() is an entry of the journal.
  bool takes_entries() const { return journal_.has_value(); }
  // True if one write() may hold several lines. O_APPEND keeps them together in a file; elsewhere only PIPE_BUF octets
  // are not mixed with the output of other processes, so lines are written one by one.
  bool takes_many_lines() const { return is_file_; }
  // True if the last write() that wrote anything did not write everything, as on a disk that became full.
  bool is_half_written() const { return is_half_written_; }

 private:
  LogTarget(int fd, std::string path);
  explicit LogTarget(JournalSocket journal) : fd_(-1), journal_(std::move(journal)) {}
  bool wait_for_room(const std::atomic<bool>& give_up) const;

  int fd_;            // -1: none
  std::string path_;  // empty: the standard error stream
  bool is_file_ = false;
  bool is_half_written_ = false;
  std::optional<JournalSocket> journal_;
};

}  // namespace sallyport
