#include "gateway/smtp/content_refusal.h"

namespace sallyport::smtp {

std::optional<Reply> refuse_content(const ContentFaults& faults, BareNewline mode) {
  if (faults.nul) return Reply(550, "5.6.0", "NUL octet in the message");
  if (faults.line_too_long) return Reply(550, "5.6.0", "Line of the message too long");
  if (mode == BareNewline::reject && (faults.bare_lf || faults.bare_cr))
    return Reply(550, "5.5.2", "Bare CR or LF in the message; lines end with CRLF");
  return std::nullopt;
}

}  // namespace sallyport::smtp
