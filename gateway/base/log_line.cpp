#include "gateway/base/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "gateway/base/ensure.h"
#include "gateway/base/log_ecs.h"
#include "gateway/base/log_journal.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"

namespace sallyport {

namespace log_line {

namespace {

constexpr std::string_view ellipsis = "...";
constexpr std::string_view cut_text = " cut=true";
constexpr std::string_view cut_json = ",\"cut\":true";
constexpr std::string_view cut_ecs = ",\"sallyport.cut\":true";
// The most that one octet of a value can become: \u00XX.
constexpr std::size_t worst_escape = 6;

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  broken("log: no such level");
}

// As syslog(3) counts them.
std::string_view priority(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "7";
    case LogLevel::info:
      return "6";
    case LogLevel::warning:
      return "4";
    case LogLevel::error:
      return "3";
  }
  broken("log: no such level");
}

enum class Octet : std::uint8_t {
  plain,   // stands for itself, everywhere
  spaced,  // stands for itself, but only between quotes
  other,   // is looked at more closely
};

constexpr auto octet_kinds = [] {
  std::array<Octet, 256> kinds{};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    char c = static_cast<char>(i);
    kinds[i] = !text::is_printable(c) || c == '"' || c == '\\' ? Octet::other
               : c == ' ' || c == '='                          ? Octet::spaced
                                                               : Octet::plain;
  }
  return kinds;
}();

Octet kind_of(char c) { return octet_kinds[static_cast<unsigned char>(c)]; }

bool is_plain(std::string_view value) {
  for (char c : value) {
    if (kind_of(c) != Octet::plain) return false;
  }
  return true;
}

// How the beginning of a value is written: so many octets of it become `escape`, or stay as they are.
struct Piece {
  std::size_t octets;
  std::array<char, 2 * worst_escape> escape{};  // two \uXXXX at most: a surrogate pair
  std::size_t escape_octets = 0;

  std::size_t written_octets() const { return escape_octets > 0 ? escape_octets : octets; }
  void add(std::string_view octets_to_add) {
    for (char c : octets_to_add) escape[escape_octets++] = c;
  }
  void add_unit(unsigned unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    add("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) escape[escape_octets++] = digits[(unit >> shift) & 0xf];
  }
};

Piece first_piece(std::string_view value) {
  if (kind_of(value.front()) != Octet::other) return {.octets = 1};
  auto character = text::decode_utf8(value);
  Piece piece{.octets = character ? character->octets : 1};
  char32_t c = character ? character->value : 0xfffd;  // an octet that is no UTF-8: the replacement character, escaped
  switch (c) {
    case '"':
      piece.add("\\\"");
      return piece;
    case '\\':
      piece.add("\\\\");
      return piece;
    case '\n':
      piece.add("\\n");
      return piece;
    case '\r':
      piece.add("\\r");
      return piece;
    case '\t':
      piece.add("\\t");
      return piece;
    default:
      break;
  }
  if (character && !text::is_deceptive(c)) return piece;
  if (c > 0xffff) {
    piece.add_unit(0xd800 + ((c - 0x10000) >> 10));
    piece.add_unit(0xdc00 + ((c - 0x10000) & 0x3ff));
  } else {
    piece.add_unit(c);
  }
  return piece;
}

// How many octets of `value` can be written in `room`, without dividing a character or an escape.
std::size_t fitting(std::string_view value, std::size_t room) {
  std::size_t octets = 0;
  while (octets < value.size()) {
    Piece piece = first_piece(value.substr(octets));
    if (piece.written_octets() > room) break;
    room -= piece.written_octets();
    octets += piece.octets;
  }
  return octets;
}

void append_escaped(std::string& out, std::string_view value, std::size_t room) {
  bool cut = value.size() * worst_escape > room && fitting(value, room) < value.size();
  if (cut) value = value.substr(0, fitting(value, room - ellipsis.size()));
  while (!value.empty()) {
    std::size_t run = 0;
    while (run < value.size() && kind_of(value[run]) != Octet::other) ++run;
    out.append(value.substr(0, run));
    value.remove_prefix(run);
    if (value.empty()) break;
    Piece piece = first_piece(value);
    if (piece.escape_octets > 0) {
      out.append(piece.escape.data(), piece.escape_octets);
    } else {
      out.append(value.substr(0, piece.octets));
    }
    value.remove_prefix(piece.octets);
  }
  if (cut) out.append(ellipsis);
}

template <class Number>
void append_number(std::string& out, Number number) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

void append_text_value(std::string& out, std::string_view value, bool angle) {
  std::string_view before = angle ? "<" : "", after = angle ? ">" : "";
  if (is_plain(value) && (angle || !value.empty()) && value.size() + 2 <= max_value_octets) {
    out.append(before).append(value).append(after);
    return;
  }
  out.append("\"").append(before);
  append_escaped(out, value, max_value_octets - 2 - before.size() - after.size());
  out.append(after).append("\"");
}

// How the texts of a list are written: what stands around each of them, and how much room all have together.
struct ListForm {
  std::string_view before;
  std::string_view after;
  std::size_t room;
};

void append_items(std::string& out, LogList list, const ListForm& form) {
  constexpr std::size_t most_for_count = 24;  // ,"+N"
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t before = out.size();
    const std::string_view comma = i > 0 ? "," : "";
    const std::size_t taken = before - start + comma.size() + form.before.size() + form.after.size() + most_for_count;
    const std::size_t room = taken < form.room ? form.room - taken : 0;
    // Of the first as much as there is room for: something has to be told.
    if (i > 0 && fitting(list[i], room) < list[i].size()) {
      const std::string_view mark = form.before.starts_with('"') ? "\"" : "";
      out.append(",").append(mark).append("+");
      append_number(out, list.size() - i);
      out.append(mark);
      return;
    }
    out.append(comma).append(form.before);
    append_escaped(out, list[i], room);
    out.append(form.after);
  }
}

void append_list(std::string& out, LogFormat format, LogList list, bool angle) {
  if (format == LogFormat::json) {
    out.append("[");
    append_items(out, list, {"\"", "\"", max_value_octets - 2});
    out.append("]");
    return;
  }
  if (list.empty()) {
    out.append(angle ? "<>" : "\"\"");
    return;
  }
  const bool is_bare = std::all_of(list.begin(), list.end(), is_plain) && (angle || !list.front().empty());
  const ListForm form{angle ? "<" : "", angle ? ">" : "", max_value_octets - 2};
  if (!is_bare) out.append("\"");
  append_items(out, list, form);
  if (!is_bare) out.append("\"");
}

void append_value(std::string& out, LogFormat format, const LogField& field) {
  if (auto* list = std::get_if<LogList>(&field.value)) {
    append_list(out, format, *list, field.angle);
  } else if (auto* number = std::get_if<std::int64_t>(&field.value)) {
    append_number(out, *number);
  } else if (auto* fraction = std::get_if<double>(&field.value)) {
    // JSON has no word for what is no number.
    if (format == LogFormat::json && !std::isfinite(*fraction)) {
      out.append("null");
    } else {
      append_number(out, *fraction);
    }
  } else if (auto* yes = std::get_if<bool>(&field.value)) {
    out.append(*yes ? "true" : "false");
  } else if (format == LogFormat::text) {
    append_text_value(out, std::get<std::string_view>(field.value), field.angle);
  } else {
    out.append("\"");
    append_escaped(out, std::get<std::string_view>(field.value), max_value_octets - 2);
    out.append("\"");
  }
}

void append_key(std::string& out, LogFormat format, std::string_view key) {
  if (format == LogFormat::text) {
    (out += ' ').append(key) += '=';
  } else {
    out.append(",\"").append(key).append("\":");
  }
}

// Appends the fields that fit into a body which began at `start`.
void append_fields(std::string& out, LogFormat format, std::string_view cut_mark, std::size_t start,
                   const std::vector<LogField>& fields) {
  const std::size_t most = start + max_body_octets - cut_mark.size() - 1;  // and the closing brace
  bool cut = false;
  for (const LogField& field : fields) {
    std::size_t before = out.size();
    append_key(out, format, field.key);
    append_value(out, format, field);
    if (out.size() <= most) continue;
    // A shorter one may still fit: the verdict is not lost because somebody's name was long.
    out.resize(before);
    cut = true;
  }
  if (cut) out.append(cut_mark);
}

void append_ecs_body(std::string& out, LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  const std::size_t start = out.size();
  const std::vector<log_ecs::Field> translated = log_ecs::fields_of(event, fields);
  std::vector<LogField> seen;
  seen.reserve(translated.size());
  for (const log_ecs::Field& field : translated) seen.push_back(log_ecs::view_of(field));
  out.append("{\"log.level\":\"").append(level_name(level)).append("\"");
  append_fields(out, LogFormat::json, cut_ecs, start, seen);
  out.append("}");
}

void append_message_body(std::string& out, Form form, LogLevel level, std::string_view event,
                         const std::vector<LogField>& fields) {
  const bool json = form.format == LogFormat::json;
  const std::size_t start = out.size();
  if (form.is_ecs()) return append_ecs_body(out, level, event, fields);
  if (json) {
    out.append("{\"level\":\"").append(level_name(level)).append("\",\"event\":\"").append(event).append("\"");
  } else {
    out.append(level_name(level)).append(" event=").append(event);
  }
  append_fields(out, form.format, json ? cut_json : cut_text, start, fields);
  if (json) out.append("}");
}

void append_message(std::string& out, Form form, WallTime time, std::string_view body) {
  if (form.format == LogFormat::json) {
    out += form.is_ecs() ? "{\"@timestamp\":\"" : "{\"time\":\"";
    append_log_time(out, time);
    out += "\",";
    out += body.substr(1);
  } else {
    append_log_time(out, time);
    out += ' ';
    out += body;
  }
}

}  // namespace

void append_body(std::string& out, Form form, LogLevel level, std::string_view event,
                 const std::vector<LogField>& fields) {
  constexpr std::size_t usual_octets = 700;
  out.reserve(out.size() + usual_octets);
  append_message_body(out, form, level, event, fields);
  if (!form.entries) return;
  out += '\n';
  log_journal::append_event(out, event, fields);
}

void add_number(std::string& body, Form form, std::string_view key, std::uint64_t number) {
  // The message of an entry ends where its first line does: whatever is in it, line ends are escaped.
  std::string fields_of_entry;
  if (form.entries) {
    const std::size_t end = body.find('\n');
    fields_of_entry = body.substr(end);
    body.resize(end);
    log_journal::append_field(fields_of_entry, log_journal::field_name(key), std::to_string(number));
  }
  if (form.format == LogFormat::json) body.pop_back();
  append_key(body, form.format, form.is_ecs() ? log_ecs::own_name(key) : std::string(key));
  append_number(body, number);
  if (form.format == LogFormat::json) body.append("}");
  body += fields_of_entry;
}

void append_line(std::string& out, Form form, LogLevel level, WallTime time, std::string_view body) {
  if (form.entries) {
    const std::size_t end = body.find('\n');
    out += "MESSAGE=";
    append_message(out, form, time, body.substr(0, end));
    out += '\n';
    log_journal::append_field(out, "PRIORITY", priority(level));
    out += body.substr(end + 1);
    return;
  }
  if (form.priorities) out.append("<").append(priority(level)).append(">");
  append_message(out, form, time, body);
  out += '\n';
}

void append_lost_line(std::string& out, Form form, std::uint64_t lost) {
  std::string body;
  append_body(body, form, LogLevel::warning, "log_lost", {});
  add_number(body, form, "lost", lost);
  append_line(out, form, LogLevel::warning, std::chrono::system_clock::now(), body);
}

}  // namespace log_line

std::string format_line(LogFormat format, LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  std::string line;
  log_line::append_body(line, {.format = format}, level, event, fields);
  return line;
}

}  // namespace sallyport
