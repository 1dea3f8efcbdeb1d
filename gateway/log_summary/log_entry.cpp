#include "gateway/log_summary/log_entry.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "gateway/base/field_json.h"
#include "gateway/base/text.h"
#include "gateway/log_summary/log_time_text.h"

namespace sallyport::log_summary {
namespace {

constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};

bool is_level(std::string_view word) { return std::find(levels.begin(), levels.end(), word) != levels.end(); }

// The items of a list as text has it: "a(1),b,~c". No name of ours has a comma.
std::vector<std::string> items(std::string_view list) {
  std::vector<std::string> found;
  if (list.empty()) return found;
  for (std::string_view item : text::split(list, ',')) found.emplace_back(item);
  return found;
}

std::string_view without_angles(std::string_view address) {
  if (address.size() >= 2 && address.front() == '<' && address.back() == '>')
    address = address.substr(1, address.size() - 2);
  return address;
}

// --- Text

bool is_key(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](char c) { return text::is_digit(c) || (c >= 'a' && c <= 'z') || c == '_'; });
}

// A value, as the log writes it, at the beginning of `rest`, which it is removed from.
std::optional<std::string> take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    std::string value(rest.substr(0, end));
    if (value.find_first_of("\"\\=") != value.npos) return std::nullopt;
    rest.remove_prefix(end);
    return value;
  }
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) return std::nullopt;
  const std::string_view quoted = rest.substr(0, end + 1);
  rest.remove_prefix(end + 1);
  if (quoted.find('\\') == quoted.npos) return std::string(quoted.substr(1, quoted.size() - 2));
  const auto json = JsonValue::parse(quoted);  // its escapes are JSON's
  if (!json) return std::nullopt;
  return json->text();
}

std::optional<std::vector<std::pair<std::string_view, std::string>>> read_fields(std::string_view rest) {
  std::vector<std::pair<std::string_view, std::string>> fields;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos || !is_key(rest.substr(0, equals))) return std::nullopt;
    const std::string_view key = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    auto value = take_value(rest);
    if (!value || (!rest.empty() && rest.front() != ' ')) return std::nullopt;
    if (!rest.empty()) rest.remove_prefix(1);
    fields.emplace_back(key, std::move(*value));
  }
  return fields;
}

std::string_view take_up_to_space(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<LogEntry> read_text(std::string_view line) {
  LogEntry entry;
  std::string_view word = take_up_to_space(line);
  if (!is_level(word)) {
    entry.time = parse_log_time(word);
    word = take_up_to_space(line);
    if (!entry.time || !is_level(word)) return std::nullopt;
  }
  const auto fields = read_fields(line);
  if (!fields || fields->empty() || fields->front().first != "event") return std::nullopt;
  const auto value = [&](std::string_view key) -> std::string {
    for (const auto& [name, text] : *fields) {
      if (name == key) return text;
    }
    return {};
  };
  const auto number = [&](std::string_view key) { return text::to_number(value(key)).value_or(0); };
  entry.event = value("event");
  entry.tenant = value("tenant");
  entry.verdict = value("verdict");
  entry.stage = value("stage");
  entry.check = value("check");
  entry.rule = value("rule");
  entry.ip = value("ip");
  entry.from = without_angles(value("from"));
  entry.kind = value("kind");
  entry.symbols = items(value("symbols"));
  entry.recipients = number("nrcpt");
  entry.octets = number("size");
  entry.repeated = number("repeated");
  entry.lost = number("lost");
  return entry;
}

// --- JSON

class JsonLine {
 public:
  explicit JsonLine(const JsonValue& line) : line_(line) {}

  // The first of these names that the line has; a list's first text.
  std::string text(std::initializer_list<std::string_view> names) const {
    const auto value = find(names);
    if (!value) return {};
    if (value->is_list()) return value->size() > 0 ? value->item(0).text().value_or("") : std::string();
    return value->text().value_or("");
  }
  std::uint64_t number(std::initializer_list<std::string_view> names) const {
    const auto value = find(names);
    return value ? value->unsigned_integer().value_or(0) : 0;
  }
  std::vector<std::string> list(std::initializer_list<std::string_view> names) const {
    std::vector<std::string> found;
    const auto value = find(names);
    if (!value || !value->is_list()) return found;
    for (std::size_t i = 0; i < value->size(); ++i) {
      if (auto item = value->item(i).text()) found.push_back(std::move(*item));
    }
    return found;
  }

 private:
  std::optional<JsonValue> find(std::initializer_list<std::string_view> names) const {
    for (std::string_view name : names) {
      if (auto value = line_.member(name)) return value;
    }
    return std::nullopt;
  }

  const JsonValue& line_;
};

std::optional<LogEntry> read_json(std::string_view text) {
  const auto parsed = JsonValue::parse(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const JsonLine line(*parsed);
  LogEntry entry;
  entry.event = line.text({"event", "event.action"});
  if (entry.event.empty() || !is_level(line.text({"level", "log.level"}))) return std::nullopt;
  entry.time = parse_log_time(line.text({"time", "@timestamp"}));
  entry.tenant = line.text({"tenant", "sallyport.tenant"});
  entry.verdict = line.text({"verdict", "sallyport.verdict"});
  entry.stage = line.text({"stage", "sallyport.stage"});
  entry.check = line.text({"check", "sallyport.check"});
  entry.rule = line.text({"rule", "rule.name"});
  entry.ip = line.text({"ip", "source.ip"});
  entry.from = without_angles(line.text({"from", "email.from.address"}));
  entry.kind = line.text({"kind", "error.type", "sallyport.kind"});
  entry.symbols = line.list({"symbols", "sallyport.symbols"});
  entry.recipients = line.number({"nrcpt", "sallyport.nrcpt"});
  entry.octets = line.number({"size", "sallyport.size"});
  entry.repeated = line.number({"repeated", "sallyport.repeated"});
  entry.lost = line.number({"lost", "sallyport.lost"});
  return entry;
}

// "<6>" before a line is the journal's, which reads it from stderr (sd-daemon(3)).
std::string_view without_priority(std::string_view line) {
  const bool has_one = line.size() > 3 && line[0] == '<' && text::is_digit(line[1]) && line[2] == '>';
  return has_one ? line.substr(3) : line;
}

}  // namespace

std::optional<LogEntry> read_log_line(std::string_view line) {
  line = without_priority(line);
  return line.starts_with('{') ? read_json(line) : read_text(line);
}

}  // namespace sallyport::log_summary
