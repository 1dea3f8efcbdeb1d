#include "tests/unit/session/session_model_content.h"

#include "gateway/base/text.h"
#include "tests/unit/session/session_script.h"

namespace sallyport::session {

namespace {

// How many fields say that we have seen the message before.
int own_marks(std::string_view message) {
  int marks = 0;
  while (!message.empty() && !message.starts_with("\r\n")) {
    std::string_view line = message.substr(0, message.find("\r\n") + 2);
    message.remove_prefix(line.size());
    if (looping_header.find(line) != std::string_view::npos && line.starts_with("Received: ")) ++marks;
  }
  return marks;
}

}  // namespace

std::uint64_t decoded_octets(std::string_view raw) {
  if (raw.ends_with('\r')) raw.remove_suffix(1);
  std::uint64_t octets = raw.size();
  for (std::size_t i = 0; i < raw.size(); ++i) octets += raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r') ? 1 : 0;
  return octets;
}

std::string without_forged_fields(std::string_view message) {
  std::string left;
  bool is_forged = false;
  while (!message.empty() && !message.starts_with("\r\n")) {
    std::string_view line = message.substr(0, message.find("\r\n") + 2);
    message.remove_prefix(line.size());
    bool is_folded = text::is_space(line.front());
    if (!is_folded) is_forged = line.starts_with("X-Sallyport-") && line.find(':') != std::string_view::npos;
    if (!is_forged) left += line;
  }
  return left.append(message);
}

std::string_view content_refusal(const smtp::Outcome& content, bool rejects_bare, std::uint64_t max_size) {
  if (content.content.size() > max_size) return "552 5.3.4";
  if (content.faults.nul || content.faults.line_too_long) return "550 5.6.0";
  if (rejects_bare && (content.faults.bare_cr || content.faults.bare_lf)) return "550 5.5.2";
  // It would continue our own field.
  if (content.content.starts_with(' ') || content.content.starts_with('\t')) return "550 5.6.0";
  if (own_marks(content.content) >= 2) return "554 5.4.6";
  return {};
}

}  // namespace sallyport::session
