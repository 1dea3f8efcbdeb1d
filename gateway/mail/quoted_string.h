// Writes quoted strings of header fields (RFC 5322, 3.2.4).
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mail {

// Appends the text in quotes, with a backslash before each quote and backslash in it. The text must not contain
// controls.
void append_quoted(std::string& out, std::string_view text);

}  // namespace sallyport::mail
