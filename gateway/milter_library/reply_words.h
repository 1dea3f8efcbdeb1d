// The words of a refusal that a filter has chosen with smfi_setreply() or smfi_setmlreply().
#pragma once

#include <optional>
#include <span>
#include <string>

namespace sallyport::milter_library {

// The text of the answer `y`. Pointers may be null where a C caller's may: no enhanced code, no text. Nothing for a
// code that is not 4xx or 5xx, an enhanced code of another form, and a text with CR or LF or above 980 octets. `%`
// stands doubled in the caller's text already.
std::optional<std::string> reply_words(const char* code, const char* enhanced, const char* text);

// The same with 1 to 32 texts. Without an enhanced code, 4.0.0 or 5.0.0 is taken.
std::optional<std::string> reply_words(const char* code, const char* enhanced, std::span<const char* const> texts);

}  // namespace sallyport::milter_library
