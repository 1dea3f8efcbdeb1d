// The log: one line per event, as text (`key=value`) or JSON, the same names in both (contract.md, section 6).
//
// Peers' text is escaped (CR, LF, quotes, controls, U+2028, bidi marks), at most 1 KiB a field and 8 KiB a line
// (threats.md R14). A line is one write(2); when it fails the line is lost and counted (R6), never the mail.
//
// Faults and violations that are equal to the one before are held back and told as one line with `repeated=N`, at the
// latest when something else of that kind comes or the log closes. Every other event is written each time. Any thread
// may write.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport {

class Counters;

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogSettings {
  LogFormat format = LogFormat::text;
  std::string target = "stderr";  // stderr | journal | file:/path
  LogLevel level = LogLevel::info;
};

struct LogField {
  std::string_view key;  // one of ours, never a peer's
  std::variant<std::string_view, std::int64_t, double, bool> value;
  bool angle = false;  // text form: <value>, as addresses are written
};

class Log {
 public:
  virtual ~Log() = default;
  // One event. `event` is a fixed name: transaction, connection, violation, fault, ready ...
  virtual void write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) = 0;
};

// Opens the target; from then on it needs no privilege. spdlog and fmt stay behind this door.
Result<std::unique_ptr<Log>> open_log(const LogSettings& settings, Counters& counters);

// The line as it would be written, without the time: for tests and for people.
std::string format_line(LogFormat format, LogLevel level, std::string_view event, const std::vector<LogField>& fields);

}  // namespace sallyport
