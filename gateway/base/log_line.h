// How a log line is written: text or JSON, with peers' text made harmless (threats.md R14). Private to the log.
//
// In both forms controls, quotes, backslashes, invalid UTF-8, line and paragraph separators, bidi marks and invisible
// characters become JSON escapes, so that no value can end its field or its line, or make a terminal show something
// else. In text a value stands in quotes unless it is plain. A value that is too long ends with "...", a list that is
// too long with "+N" for the N texts that are left out; fields that no longer fit into the line are left out and the
// line says cut=true.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/log.h"
#include "gateway/base/units.h"

namespace sallyport::log_line {

inline constexpr std::size_t max_value_octets = 1024;
inline constexpr std::size_t max_line_octets = 8192;
// What of a line is left for its fields: time, priority, repetition count and line end need room too.
inline constexpr std::size_t max_body_octets = max_line_octets - 96;

struct Form {
  LogFormat format = LogFormat::text;
  bool priorities = false;  // each line begins with its <priority>, as the journal reads it from stderr (sd-daemon(3))
  bool entries = false;     // each line is an entry of the journal (log_journal.h), which has the line as its MESSAGE
  LogSchema schema = LogSchema::sallyport;  // of JSON

  bool is_ecs() const { return format == LogFormat::json && schema == LogSchema::ecs; }
};

// Appends level, event and fields: the line without its time and without a line end. Of an entry its fields follow, on
// lines of their own.
void append_body(std::string& out, Form form, LogLevel level, std::string_view event,
                 const std::vector<LogField>& fields);
// Adds one more number to the end of a finished body.
void add_number(std::string& body, Form form, std::string_view key, std::uint64_t number);
// Appends the whole line: priority, time, body, line end.
void append_line(std::string& out, Form form, LogLevel level, WallTime time, std::string_view body);
// Appends the line `event=log_lost lost=N`: so many lines are missing here.
void append_lost_line(std::string& out, Form form, std::uint64_t lost);

}  // namespace sallyport::log_line
