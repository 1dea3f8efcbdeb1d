// LogEntry: one line of the log, read back: text, JSON, or JSON with the names of ECS (contract.md, section 6).
//
// Only what a summary needs of it. The log is not trusted to be whole: a file that was cut off, or something else that
// was written to the same file, gives nothing, and a value of a peer cannot pass for another field, because quotes
// around it are read as the log writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/units.h"

namespace sallyport::log_summary {

struct LogEntry {
  std::optional<WallTime> time;  // none in what `journalctl -o cat` prints
  std::string event;
  std::string tenant;
  std::string verdict;
  std::string stage;
  std::string check;
  std::string rule;
  std::string ip;
  std::string from;  // without <>
  std::string kind;  // of a fault or a violation
  std::vector<std::string> symbols;
  std::uint64_t recipients = 0;
  std::uint64_t octets = 0;
  std::uint64_t repeated = 0;  // a fault or violation that stands for so many more
  std::uint64_t lost = 0;      // of log_lost
};

// The line without its line end. Nothing when it is no line of our log.
std::optional<LogEntry> read_log_line(std::string_view line);

}  // namespace sallyport::log_summary
