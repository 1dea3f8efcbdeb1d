// The model's rules about a message's content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/smtp/content_runs.h"

namespace sallyport::session {

// The length of the content so far, decoded; a CR at its end may become half of a CRLF and is not counted.
std::uint64_t decoded_octets(std::string_view raw);
// The reply with which the content's framing or form is refused; empty when it is accepted.
std::string_view content_refusal(const smtp::Outcome& content, bool rejects_bare, std::uint64_t max_size);
// The message without fields that imitate ours.
std::string without_forged_fields(std::string_view message);

}  // namespace sallyport::session
