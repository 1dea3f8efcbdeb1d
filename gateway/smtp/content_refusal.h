// Decides whether the faults found in a message's content refuse it (threats.md S1-S4, S10).
#pragma once

#include <optional>

#include "gateway/smtp/content_sink.h"
#include "gateway/smtp/reply.h"

namespace sallyport::smtp {

// The reply that refuses the message at the end of its content; nothing if it may be relayed as decoded. A NUL and an
// overlong line are refused in both modes, bare CR and LF only with `reject`.
std::optional<Reply> refuse_content(const ContentFaults& faults, BareNewline mode);

}  // namespace sallyport::smtp
