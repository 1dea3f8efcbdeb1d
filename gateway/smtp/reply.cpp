#include "gateway/smtp/reply.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gateway/base/enhanced_code.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

constexpr std::size_t most_line_octets = 512;  // RFC 5321, 4.5.3.1.5, with its CRLF

// How much of `line` stands on its first line of at most `room` octets: it ends at a space where there is one.
std::size_t first_piece(std::string_view line, std::size_t room) {
  if (line.size() <= room) return line.size();
  const std::size_t space = line.rfind(' ', room);
  return space != std::string_view::npos && space > 0 ? space : room;
}

void append_printable(std::string& wire, std::string_view text) {
  const auto start = static_cast<std::ptrdiff_t>(wire.size());
  wire += text;
  // Without a branch for each octet, so that many are done at once.
  std::transform(wire.begin() + start, wire.end(), wire.begin() + start,
                 [](char c) { return text::is_printable(c) ? c : '?'; });
}

}  // namespace

Reply::Reply(int code, std::string_view enhanced, std::string_view text)
    : Reply(code, enhanced, std::vector<std::string>(1, std::string(text))) {}

Reply::Reply(int code, std::string_view enhanced, std::vector<std::string> lines)
    : code_(code), enhanced_(enhanced), lines_(std::move(lines)) {
  ensure(code >= 200 && code <= 599, "Reply: code outside 200-599");
  if (!enhanced.empty()) {
    ensure(enhanced_code_length(enhanced) == enhanced.size(), "Reply: not an enhanced code");
    ensure(takes_enhanced_code(code) && enhanced.front() == class_digit(code), "Reply: enhanced code of another class");
  }
  if (lines_.empty()) lines_.emplace_back();
}

std::string Reply::to_wire() const {
  std::string wire;
  append_to(wire);
  return wire;
}

void Reply::append_to(std::string& wire) const {
  ensure(code_ != 0, "Reply: sent before it was made");
  const std::string code = std::to_string(code_);
  const std::size_t around_text = code.size() + 1 + (enhanced_.empty() ? 0 : enhanced_.size() + 1) + 2;
  const std::size_t room = most_line_octets - around_text;
  std::size_t octets = 0;  // folded lines add to it
  for (const std::string& line : lines_) octets += around_text + line.size();
  wire.reserve(wire.size() + octets);
  for (const std::string& line : lines_) {
    std::string_view left = line;
    bool is_whole = false;
    while (!is_whole) {
      const std::string_view piece = left.substr(0, first_piece(left, room));
      is_whole = piece.size() == left.size();
      left.remove_prefix(std::min(left.size(), piece.size() + (!is_whole && left[piece.size()] == ' ' ? 1 : 0)));
      const bool is_last = is_whole && &line == &lines_.back();
      const bool is_bare = enhanced_.empty() && piece.empty();
      wire += code;
      if (!is_last || !is_bare) wire += is_last ? ' ' : '-';
      // RFC 2034, 4: the enhanced code stands on every line.
      wire += enhanced_;
      if (!enhanced_.empty() && !piece.empty()) wire += ' ';
      append_printable(wire, piece);
      wire += "\r\n";
    }
  }
}

std::string Reply::text() const { return text::join(lines_, " "); }

}  // namespace sallyport::smtp
