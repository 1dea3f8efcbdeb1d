#include "tests/unit/session/same_message.h"

#include <vector>

#include "gateway/base/text.h"

namespace sallyport::session {

namespace {

constexpr std::string_view our_first_field = "X-Sallyport-Id: ";

// The first field of `header`, with its folded lines.
std::string_view first_field(std::string_view header) {
  std::size_t end = 0;
  do {
    std::size_t newline = header.find("\r\n", end);
    if (newline == std::string_view::npos) return header;
    end = newline + 2;
  } while (end < header.size() && text::is_space(header[end]));
  return header.substr(0, end);
}

std::string_view name_of(std::string_view field) { return text::trim(field.substr(0, field.find(':'))); }
std::string_view value_of(std::string_view field) {
  std::size_t colon = field.find(':');
  std::string_view value = colon == std::string_view::npos ? field : field.substr(colon + 1);
  while (!value.empty() && (text::is_space(value.back()) || value.back() == '\r' || value.back() == '\n'))
    value.remove_suffix(1);
  return text::trim(value);
}

struct Parts {
  std::vector<std::string_view> fields;
  std::string_view body;  // with the empty line before it
};

Parts parts_of(std::string_view message) {
  Parts parts;
  while (!message.empty() && !message.starts_with("\r\n")) {
    parts.fields.push_back(first_field(message));
    message.remove_prefix(parts.fields.back().size());
  }
  parts.body = message;
  return parts;
}

bool is_subject(std::string_view field) { return text::equals_ignoring_case(name_of(field), "Subject"); }

}  // namespace

std::string_view id_of(std::string_view stored) {
  if (!stored.starts_with(our_first_field)) return {};
  stored.remove_prefix(our_first_field.size());
  return stored.substr(0, stored.find("\r\n"));
}

std::string_view below_our_fields(std::string_view stored) {
  while (!stored.empty() && !stored.starts_with("\r\n")) {
    std::string_view field = first_field(stored);
    stored.remove_prefix(field.size());
    if (name_of(field) == "Received") break;
  }
  return stored;
}

bool is_same_message(std::string_view came_in, std::string_view sent_on) {
  if (came_in == sent_on) return true;
  Parts before = parts_of(came_in);
  Parts after = parts_of(sent_on);
  if (before.body != after.body) return false;
  std::size_t at = 0;
  // A subject that was not there stands on top.
  bool is_added = !after.fields.empty() && is_subject(after.fields[0]) &&
                  (before.fields.empty() || before.fields[0] != after.fields[0]);
  for (std::string_view field : before.fields) is_added = is_added && !is_subject(field);
  if (is_added) ++at;
  for (std::size_t i = 0; i < before.fields.size(); ++i) {
    std::string_view field = before.fields[i];
    // Results are left out where they pretend to be ours; whose they are is for the tests of header_out.
    bool is_left_out = text::starts_with_ignoring_case(name_of(field), "X-Sallyport-") ||
                       text::equals_ignoring_case(name_of(field), "Authentication-Results") ||
                       (i == 0 && field.starts_with("From "));
    if (at < after.fields.size()) {
      std::string_view sent = after.fields[at];
      bool is_prefixed = is_subject(field) && is_subject(sent) && value_of(sent).ends_with(value_of(field));
      if (field == sent || is_prefixed) {
        ++at;
        continue;
      }
    }
    if (!is_left_out) return false;
  }
  return at == after.fields.size();
}

}  // namespace sallyport::session
