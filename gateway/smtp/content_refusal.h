// What the faults of a message's content mean for the message (threats.md S1-S4, S10).
#pragma once

#include <optional>

#include "gateway/smtp/content_sink.h"
#include "gateway/smtp/reply.h"

namespace sallyport::smtp {

// The refusal to give at the end of the content, or nothing when it may be relayed as it was decoded. A NUL and an
// overlong line are refused in both modes, bare CR and LF with `reject` only.
std::optional<Reply> refuse_content(const ContentFaults& faults, BareNewline mode);

}  // namespace sallyport::smtp
