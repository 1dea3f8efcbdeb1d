#include "gateway/milter/custom_reply.h"

#include <algorithm>

#include "gateway/base/enhanced_code.h"
#include "gateway/base/text.h"

namespace sallyport::milter {

namespace {

constexpr std::size_t most_lines = 32;
constexpr std::size_t most_line_octets = 980;
constexpr std::string_view line_end = "\r\n";

// `%%` is one, a single one stays what it is.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] == '%') ++i;
  }
  return plain;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

// Takes one line apart and adds it to the reply; false: it does not fit.
bool add_line(CustomReply& reply, std::string_view line, bool is_last) {
  if (line.size() < 3 || (line[0] != '4' && line[0] != '5')) return false;
  if (!text::is_digit(line[1]) || !text::is_digit(line[2])) return false;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (!reply.lines.empty() && code != reply.code) return false;
  reply.code = code;
  if (line.size() > 3 && line[3] != ' ' && (line[3] != '-' || is_last)) return false;
  std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
  if (const std::size_t length = enhanced_code_length(text); length > 0) {
    const std::string_view enhanced = text.substr(0, length);
    if (enhanced.front() != line.front()) return false;
    if (reply.lines.empty()) reply.enhanced = enhanced;
    if (enhanced == reply.enhanced) text.remove_prefix(std::min(length + 1, text.size()));
  }
  std::string plain = unescape(text);
  if (plain.size() > most_line_octets || has_control(plain)) return false;
  reply.lines.push_back(std::move(plain));
  return true;
}

}  // namespace

std::optional<CustomReply> parse_custom_reply(std::string_view text) {
  CustomReply reply;
  while (true) {
    const std::size_t end = text.find(line_end);
    const bool is_last = end == std::string_view::npos;
    if (reply.lines.size() == most_lines || !add_line(reply, text.substr(0, end), is_last)) return std::nullopt;
    if (is_last) return reply;
    text.remove_prefix(end + line_end.size());
  }
}

std::string to_wire(const CustomReply& reply) {
  std::string text;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    const bool is_last = i + 1 == reply.lines.size();
    text += std::to_string(reply.code) + (is_last ? ' ' : '-');
    if (!reply.enhanced.empty()) text += reply.enhanced + ' ';
    for (const char c : reply.lines[i]) {
      text += c;
      if (c == '%') text += c;
    }
    if (!is_last) text += line_end;
  }
  return text;
}

}  // namespace sallyport::milter
