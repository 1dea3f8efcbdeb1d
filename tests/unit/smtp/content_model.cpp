#include "tests/unit/smtp/content_model.h"

namespace sallyport::smtp {
namespace {

bool is_cr_or_lf(char c) { return c == '\r' || c == '\n'; }

// Bare LF to CRLF, bare CR to a space, the last line ended.
void decode(std::string_view raw, std::uint64_t max_line_octets, Outcome& outcome) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    outcome.faults.nul |= raw[i] == '\0';
    outcome.faults.has_8bit |= static_cast<unsigned char>(raw[i]) > 127;
    if (raw.substr(i, 2) == "\r\n") {
      outcome.content += "\r\n";
      ++i;
    } else if (raw[i] == '\n') {
      outcome.content += "\r\n";
      outcome.faults.bare_lf = true;
    } else if (raw[i] == '\r') {
      outcome.content += ' ';
      outcome.faults.bare_cr = true;
    } else {
      outcome.content += raw[i];
    }
  }
  if (!outcome.content.empty() && !outcome.content.ends_with("\r\n")) outcome.content += "\r\n";
  for (std::size_t at = 0, end = 0; at < outcome.content.size(); at = end) {
    end = outcome.content.find("\r\n", at) + 2;
    outcome.faults.line_too_long |= end - at > max_line_octets;
  }
}

}  // namespace

Outcome model_data(std::string_view raw, std::uint64_t max_line_octets) {
  Outcome outcome;
  std::string unstuffed;
  std::size_t at = 0;
  for (std::size_t end = 0; (end = raw.find("\r\n", at)) != std::string_view::npos; at = end + 2) {
    const std::string_view line = raw.substr(at, end - at);
    if (line == ".") {
      outcome.consumed = end + 2;
      outcome.ended = true;
      break;
    }
    const bool is_stuffed = line.starts_with('.') && !is_cr_or_lf(line[1]);
    unstuffed += line.substr(is_stuffed ? 1 : 0);
    unstuffed += "\r\n";
  }
  for (std::size_t dot = raw.find('.'); dot < at; dot = raw.find('.', dot + 1))
    outcome.faults.eod_lookalike |= (dot == 0 || is_cr_or_lf(raw[dot - 1])) && is_cr_or_lf(raw[dot + 1]);
  decode(unstuffed, max_line_octets, outcome);
  return outcome;
}

Outcome model_chunks(std::string_view raw, std::uint64_t max_line_octets) {
  Outcome outcome{.content = {}, .faults = {}, .consumed = raw.size(), .ended = true};
  decode(raw, max_line_octets, outcome);
  return outcome;
}

}  // namespace sallyport::smtp
