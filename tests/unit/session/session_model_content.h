// What the model thinks of a message's content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/smtp/content_runs.h"

namespace sallyport::session {

// How long content is so far, decoded: a CR at its end may yet become half of a CRLF and is not counted.
std::uint64_t decoded_octets(std::string_view raw);
// What framing and form of the content are refused with; empty: nothing.
std::string_view content_refusal(const smtp::Outcome& content, bool rejects_bare, std::uint64_t max_size);
// Without the fields that pretend to be ours.
std::string without_forged_fields(std::string_view message);

}  // namespace sallyport::session
