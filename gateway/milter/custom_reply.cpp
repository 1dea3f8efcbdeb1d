#include "gateway/milter/custom_reply.h"

#include <algorithm>

namespace sallyport::milter {

namespace {

constexpr std::size_t most_lines = 32;
constexpr std::size_t most_line_octets = 980;
constexpr std::string_view line_end = "\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of "5.7.12" at the beginning of the text; 0: there is none (RFC 3463, 2).
std::size_t enhanced_length(std::string_view text) {
  if (text.size() < 5 || (text[0] != '4' && text[0] != '5') || text[1] != '.') return 0;
  std::size_t end = 2;
  for (int part = 0; part < 2; ++part) {
    const std::size_t begin = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == begin || end - begin > 3) return 0;
    if (part == 0) {
      if (end == text.size() || text[end] != '.') return 0;
      ++end;
    }
  }
  return end == text.size() || text[end] == ' ' ? end : 0;
}

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
  if (line.size() < 3 || (line[0] != '4' && line[0] != '5') || !is_digit(line[1]) || !is_digit(line[2])) return false;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (!reply.lines.empty() && code != reply.code) return false;
  reply.code = code;
  if (line.size() > 3 && line[3] != ' ' && (line[3] != '-' || is_last)) return false;
  std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
  if (const std::size_t length = enhanced_length(text); length > 0) {
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
