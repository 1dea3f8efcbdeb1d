// Quoted strings as they are written into header fields (RFC 5322, 3.2.4).
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mail {

// Appends the text between quotes, with a backslash before each quote and backslash in it. It has no controls.
void append_quoted(std::string& out, std::string_view text);

}  // namespace sallyport::mail
