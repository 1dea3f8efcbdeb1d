// Fast scans over all octets of a message: is there an 8-bit octet, a NUL, a CR or LF outside a pair, a dot at the
// beginning of a line?
//
// They cost far less than copying the octets; octets.cpp explains how.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::smtp {

bool has_8bit(std::string_view octets);

inline bool has_nul(std::string_view octets) { return octets.find('\0') != std::string_view::npos; }

// True if every CR inside `octets` is followed by LF and every LF preceded by CR. A LF at the very beginning and a CR
// at the very end are not judged; the caller knows the octets around them.
bool has_only_crlf_inside(std::string_view octets);

// The position of the first dot that follows a CR or LF within `octets`; npos if there is none. A dot at position 0 is
// not found.
std::size_t find_line_dot(std::string_view octets);

}  // namespace sallyport::smtp
