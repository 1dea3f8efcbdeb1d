// The log: one line per event, as text (`key=value`) or JSON, the same names in both (contract.md, section 6).
//
// Peers' text is escaped (CR, LF, quotes, controls, U+2028, bidi marks), at most 1 KiB a field and 8 KiB a line
// (threats.md R14).
//
// write() never waits: it formats the line, copies it into a bounded queue and returns; a thread of the log writes it.
// A target that takes nothing (a pipe that nobody reads, a full or slow disk) costs lines, never mail (R6). A line that
// does not fit into the queue, or cannot be written, is counted as Fault::log; before the next line that is written
// stands one that says how many are missing: `event=log_lost lost=N`.
//
// A fault or violation that equals the one before it is only counted. The count is written as one line with
// `repeated=N` when a different fault or violation comes, when ten seconds have passed, or when the log closes. Every
// other event is written each time. Any thread may write; the lines of one thread stay in their order.
//
// The destructor waits for the queue to be written, at most LogBounds::patience; it drops and counts what is left then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport {

class Counters;

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };
// The names of fields in JSON: our own, or those of the Elastic Common Schema 8. Text always has our own.
enum class LogSchema { sallyport, ecs };

struct LogSettings {
  LogFormat format = LogFormat::text;
  std::string target = "stderr";  // stderr | journal | file:/path
  LogLevel level = LogLevel::info;
  LogSchema schema = LogSchema::sallyport;
};

// How much may wait to be written, and how long the target may take nothing before it counts as failing (at the log's
// end: before the log closes without it).
struct LogBounds {
  std::size_t octets = 4 * 1024 * 1024;
  std::size_t lines = 16384;
  std::chrono::milliseconds patience{1000};
};

// Several texts under one key: "a,b" as text, ["a","b"] as JSON. As many of them as a field has room for, whole ones,
// and then "+N" for the N that are left out.
using LogList = std::span<const std::string>;

struct LogField {
  std::string_view key;  // one of ours, never a peer's
  std::variant<std::string_view, std::int64_t, double, bool, LogList> value;
  bool angle = false;  // text form: <value>, as addresses are written; of a list each of its texts
};

class Log {
 public:
  virtual ~Log() = default;
  // One event. `event` is a fixed name: transaction, connection, violation, fault, ready ...
  //
  // Returns true if the line is accepted: it is queued (or below the log's level, or counted as a repetition), and the
  // target is not failing. False means that the line is lost, or probably will be. A caller that needs a record before
  // it goes on, as for a discard (threats.md I1), checks it; others may ignore it. True does not mean that the line has
  // reached the target yet: when the process is killed, the lines of the last milliseconds are lost with its queue.
  virtual bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) = 0;

  // Starts the thread that writes; without this call it starts with the first line. Called before anything is served,
  // and when the process has given up its privileges (log_writer.h says why), so that a system without a thread for it
  // ends the start with a sentence instead of leaving a gateway that serves and tells nothing. False: the system has no
  // thread for it.
  virtual bool start() { return true; }

  // Called after an administrator has moved the log's file away (SIGHUP, `sallyport reload`). The log's thread opens
  // the path again before it writes its next line. No line is lost; lines that were queued before may go to either
  // file. The file is opened as the user who serves, who needs permission to create it or to write to it. A failure is
  // counted as Fault::log and written to the old file, which stays in use. Does nothing if the file at the path is
  // still the one that is open, or if the target is not a file.
  virtual void reopen() {}
};

// Opens the target, for which the process may still have the privileges of its start. The thread starts with the first
// line. A new file gets mode 0640; a symbolic link in its place is refused.
Result<std::unique_ptr<Log>> open_log(const LogSettings& settings, Counters& counters, const LogBounds& bounds = {});

// The line as it would be written, without the time: for tests and for people.
std::string format_line(LogFormat format, LogLevel level, std::string_view event, const std::vector<LogField>& fields);

}  // namespace sallyport
