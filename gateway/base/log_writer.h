// The queue of lines, and the thread that writes them to the target. Private to the log.
//
// add() copies a line into the bounded queue. It waits for nothing but a mutex, under which others copy lines, too. A
// lost line (no room, or a target that fails) is counted as Fault::log. The line `event=log_lost lost=N` is written in
// the place of the N lost lines: before the next line that is accepted, or when the queue is empty.
//
// The thread starts with the first line, not in the constructor. What the process gives up before it serves, but for
// one thread at a time (PR_SET_NO_NEW_PRIVS), is then given up by this thread, too. If the system has no thread left,
// add() tries again with each line. The thread has all signals blocked.
//
// The destructor waits at most LogBounds::patience for the thread to write what is queued. If a system call holds the
// thread longer (a pipe that another process fills, a disk that does not answer), the destructor detaches it, so that
// the process can end. A detached thread uses only the State, which it owns together with the LogWriter.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/base/log.h"
#include "gateway/base/log_line.h"
#include "gateway/base/log_target.h"

namespace sallyport {

class LogWriter {
 public:
  LogWriter(LogTarget target, log_line::Form form, Counters& counters, const LogBounds& bounds);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();

  // Takes a whole line with its line end; any thread may call. Returns true if the line is queued and the target is not
  // failing: it took what was last written to it, and took something within LogBounds::patience.
  bool add(std::string_view line) noexcept;
  // Counts a line that the caller could not format for want of memory.
  void lose() noexcept;
  // Starts the thread if it does not run yet. False: the system has none.
  bool start() noexcept;
  // Makes the thread reopen the target before its next line; any thread may call.
  void reopen() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
  const LogBounds bounds_;
};

}  // namespace sallyport
