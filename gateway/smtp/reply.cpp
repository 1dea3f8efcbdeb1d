#include "gateway/smtp/reply.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/enhanced_code.h"

namespace sallyport::smtp {
namespace {

constexpr std::size_t most_line_octets = 512;  // RFC 5321, 4.5.3.1.5, with its CRLF

// Cuts `line` into pieces of at most `room` octets, at a space where there is one.
void fold(std::string_view line, std::size_t room, std::vector<std::string>& pieces) {
  while (line.size() > room) {
    const std::size_t space = line.rfind(' ', room);
    const bool at_space = space != std::string_view::npos && space > 0;
    pieces.push_back(text::printable(line.substr(0, at_space ? space : room), room));
    line.remove_prefix(at_space ? space + 1 : room);
  }
  pieces.push_back(text::printable(line, room));
}

}  // namespace

Reply::Reply(int code, std::string_view enhanced, std::string_view text)
    : Reply(code, enhanced, std::vector<std::string>{std::string(text)}) {}

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
  const std::size_t prefix_octets = code.size() + 1 + (enhanced_.empty() ? 0 : enhanced_.size() + 1);
  std::vector<std::string> pieces;
  for (const std::string& line : lines_) fold(line, most_line_octets - 2 - prefix_octets, pieces);

  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string& piece = pieces[i];
    const bool is_last = i + 1 == pieces.size();
    const bool is_bare = enhanced_.empty() && piece.empty();
    wire += code;
    if (!is_last || !is_bare) wire += is_last ? ' ' : '-';
    // RFC 2034, 4: the enhanced code stands on every line.
    wire += enhanced_;
    if (!enhanced_.empty() && !piece.empty()) wire += ' ';
    wire += piece;
    wire += "\r\n";
  }
}

std::string Reply::text() const { return text::join(lines_, " "); }

}  // namespace sallyport::smtp
