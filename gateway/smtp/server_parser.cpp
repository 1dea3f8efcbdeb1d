#include "gateway/smtp/server_parser.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

constexpr std::size_t flood_octets = 64 * 1024;

}  // namespace

std::optional<LineEvent> ServerParser::next(std::string_view input, std::size_t& discardable) {
  discardable = 0;
  // Scans at most 64 KiB, so that a flood is detected at the same octet however the input is cut into pieces.
  const std::string_view window = input.substr(0, flood_octets - discarded_);
  const std::size_t newline = window.find('\n', scanned_);
  const std::string_view unseen = window.substr(0, newline).substr(scanned_);

  const std::size_t nul = unseen.find('\0');
  const std::size_t cr = unseen.substr(0, nul).find('\r');
  if (cr != std::string_view::npos && cr + 1 < unseen.size()) return finish(LineEvent::Kind::bad, scanned_ + cr + 1);
  if (nul != std::string_view::npos) return finish(LineEvent::Kind::bad, scanned_ + nul + 1);
  const bool ends_with_cr = cr != std::string_view::npos;

  if (newline != std::string_view::npos) {
    if (!ends_with_cr) return finish(LineEvent::Kind::bad, newline + 1);
    const bool is_first = discarded_ == 0;  // nothing of the line has been discarded
    const bool fits = is_first && newline + 1 <= limit_of(window.substr(0, newline + 1));
    LineEvent event = finish(fits ? LineEvent::Kind::line : LineEvent::Kind::too_long, newline + 1);
    if (fits) {
      event.text = window.substr(0, newline - 1);
    } else {
      if (is_first) keep_beginning(window.substr(0, newline - 1));
      event.text = std::string_view(beginning_.data(), beginning_.size());
    }
    return event;
  }

  if (discarded_ + window.size() == flood_octets) return finish(LineEvent::Kind::flood, window.size());
  // A CR at the end is scanned again together with the octet that follows it.
  scanned_ = ends_with_cr ? window.size() - 1 : window.size();
  // The LF has not come yet, so the line is over the limit already.
  if (discarded_ != 0 || window.size() >= limit_of(window)) {
    if (discarded_ == 0) keep_beginning(window);
    discardable = scanned_;
    discarded_ += scanned_;
    scanned_ = 0;
  }
  return std::nullopt;
}

// `line` is the beginning of a line, as far as it has arrived.
std::size_t ServerParser::limit_of(std::string_view line) const {
  if (line.size() < max_line_octets_ || !text::starts_with_ignoring_case(line, "AUTH ")) return max_line_octets_;
  return std::max(max_line_octets_, auth_line_octets);
}

void ServerParser::keep_beginning(std::string_view line) {
  beginning_ = {};
  std::copy_n(line.begin(), std::min(line.size(), beginning_.size()), beginning_.begin());
}

LineEvent ServerParser::finish(LineEvent::Kind kind, std::size_t consumed) {
  scanned_ = 0;
  discarded_ = 0;
  return {.kind = kind, .text = {}, .consumed = consumed};
}

}  // namespace sallyport::smtp
