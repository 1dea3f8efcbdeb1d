#include "gateway/base/log_journal.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

#include "gateway/base/log_line.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"

namespace sallyport::log_journal {

namespace {

std::string_view without_broken_end(std::string_view text) {
  if (text.size() <= log_line::max_value_octets) return text;
  text = text.substr(0, log_line::max_value_octets);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.remove_suffix(1);
  if (!text.empty() && !text::is_ascii(text.back())) text.remove_suffix(1);
  return text;
}

// Appends fields as long as there is room for them.
class Entry {
 public:
  explicit Entry(std::string& out) : out_(out), most_(out.size() + max_fields_octets) {}

  // False: there is no room for it.
  bool add(std::string_view name, std::string_view value) {
    const std::size_t before = out_.size();
    append_field(out_, name, value);
    if (out_.size() <= most_) return true;
    out_.resize(before);
    return false;
  }
  void add(const LogField& field) {
    const std::string name = field_name(field.key);
    if (const auto* list = std::get_if<LogList>(&field.value)) {
      for (const std::string& text : *list) {
        if (!add_text(name, text)) return;
      }
    } else if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      add_text(name, *text);
    } else if (const auto* yes = std::get_if<bool>(&field.value)) {
      add(name, *yes ? "true" : "false");
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      add(name, fmt::format("{}", *number));
    } else {
      add(name, fmt::format("{}", std::get<double>(field.value)));
    }
  }

 private:
  bool add_text(std::string_view name, std::string_view text) {
    return add(name, text::showable(without_broken_end(text)));
  }

  std::string& out_;
  const std::size_t most_;
};

}  // namespace

void append_field(std::string& entry, std::string_view name, std::string_view value) {
  entry.append(name);
  if (value.find('\n') == value.npos) {
    entry.append("=").append(value).append("\n");
    return;
  }
  // The other form: its length as 64 bits, the lowest octet first, and then anything.
  entry += '\n';
  auto length = static_cast<std::uint64_t>(value.size());
  for (int i = 0; i < 8; ++i, length >>= 8) entry += static_cast<char>(length & 0xff);
  entry.append(value).append("\n");
}

std::string field_name(std::string_view key) { return "SALLYPORT_" + text::to_upper(key); }

void append_event(std::string& entry, std::string_view event, const std::vector<LogField>& fields) {
  Entry made(entry);
  made.add("SYSLOG_IDENTIFIER", "sallyport");
  made.add("SALLYPORT_EVENT", event);
  for (const LogField& field : fields) made.add(field);
}

}  // namespace sallyport::log_journal
