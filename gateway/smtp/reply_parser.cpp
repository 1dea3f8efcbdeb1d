#include "gateway/smtp/reply_parser.h"

#include <algorithm>
#include <utility>

#include "gateway/base/enhanced_code.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/octets.h"

namespace sallyport::smtp {
namespace {

constexpr std::size_t most_lines = 128;
constexpr std::size_t most_octets = 16 * 1024;

bool has_cr_before_end(std::string_view octets) {
  return octets.substr(0, octets.empty() ? 0 : octets.size() - 1).find('\r') != std::string_view::npos;
}

// The code at the beginning of a line; 0 if there is none or it is outside 200-599.
int code_of(std::string_view line) {
  if (line.size() < 3) return 0;
  const auto code = text::to_number(line.substr(0, 3), 599);
  return code && *code >= 200 ? static_cast<int>(*code) : 0;
}

// `line`, with the class of its enhanced code (if it has one) changed to that of `code`.
std::string with_class_of(int code, std::string_view line) {
  std::string corrected(line);
  if (takes_enhanced_code(code) && enhanced_code_length(line) != 0) corrected.front() = class_digit(code);
  return corrected;
}

// The enhanced code at the beginning of all lines, each time followed by text or alone; empty if there is no such code.
std::string_view common_enhanced_code(const std::vector<std::string>& lines) {
  const std::string_view first = lines.front();
  const std::string_view enhanced = first.substr(0, enhanced_code_length(first));
  if (enhanced.empty()) return {};
  const auto has_it = [&](std::string_view line) {
    return line.starts_with(enhanced) && enhanced_code_length(line) == enhanced.size() &&
           line.size() != enhanced.size() + 1;
  };
  return std::all_of(lines.begin(), lines.end(), has_it) ? enhanced : std::string_view{};
}

}  // namespace

Result<ReplyParser::Progress, ReplyError> ReplyParser::read(std::string_view input) {
  std::size_t at = 0;
  while (!broken_) {
    const std::string_view rest = input.substr(at);
    // Only what is within the bound is scanned; a reply that needs more is malformed anyway.
    const std::string_view window = rest.substr(0, most_octets - octets_);
    const std::size_t newline = window.find('\n', scanned_);
    const std::string_view line = window.substr(0, newline);
    // A CR at the end may still be followed by LF; any other CR is bare, and so is an LF without a CR.
    if (has_nul(line.substr(scanned_)) || has_cr_before_end(line.substr(scanned_))) break;
    if (newline == std::string_view::npos) {
      if (window.size() == most_octets - octets_) break;
      scanned_ = line.ends_with('\r') ? line.size() - 1 : line.size();
      return Progress{.consumed = at, .reply = std::nullopt};
    }
    if (!line.ends_with('\r')) break;
    scanned_ = 0;
    at += newline + 1;
    octets_ += newline + 1;
    const Line taken = take_line(line.substr(0, line.size() - 1));
    if (taken == Line::malformed) break;
    if (taken == Line::more) continue;
    octets_ = 0;
    return Progress{.consumed = at, .reply = std::exchange(partial_, {})};
  }
  broken_ = true;
  return ReplyError::malformed;
}

ReplyParser::Line ReplyParser::take_line(std::string_view line) {
  const int code = code_of(line);
  if (code == 0 || (partial_.code != 0 && code != partial_.code)) return Line::malformed;
  // RFC 5321, 4.2.1 allows a last line that consists of the code only.
  const char separator = line.size() > 3 ? line[3] : ' ';
  if ((separator != ' ' && separator != '-') || partial_.lines.size() == most_lines) return Line::malformed;
  const std::string_view text = line.substr(std::min<std::size_t>(line.size(), 4));
  if (partial_.code == 0 && takes_enhanced_code(code) && text.starts_with(class_digit(code)))
    partial_.enhanced = text.substr(0, enhanced_code_length(text));
  partial_.code = code;
  partial_.lines.emplace_back(text);
  return separator == ' ' ? Line::last : Line::more;
}

Reply pass_on(const UpstreamReply& reply) {
  ensure(!reply.lines.empty(), "pass_on: a reply without lines");
  std::vector<std::string> lines;
  for (const std::string& line : reply.lines)
    lines.push_back(text::printable(with_class_of(reply.code, line), line.size()));
  if (!takes_enhanced_code(reply.code)) return Reply(reply.code, "", std::move(lines));
  // An enhanced code that all lines share is removed from them and passed separately: it can then be logged, and Reply
  // repeats it when it folds a line. The octets sent are the same.
  const std::string enhanced(common_enhanced_code(lines));
  if (!enhanced.empty())
    for (std::string& line : lines) line.erase(0, std::min(line.size(), enhanced.size() + 1));
  return Reply(reply.code, enhanced, std::move(lines));
}

}  // namespace sallyport::smtp
