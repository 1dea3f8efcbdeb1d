// Questions asked of every octet that passes: is there 8-bit, a NUL, a CR or LF outside a pair, a dot that begins a
// line?
//
// Asking costs far less than moving the octets does; octets.cpp says how.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::smtp {

bool has_8bit(std::string_view octets);

inline bool has_nul(std::string_view octets) { return octets.find('\0') != std::string_view::npos; }

// True when every CR has its LF and every LF its CR, as far as the octets themselves tell: an LF that comes first and a
// CR that comes last have their partners outside and are the caller's to judge.
bool has_only_crlf_inside(std::string_view octets);

// Where in `octets` the first dot stands that follows a CR or LF, which has to be among them; npos when there is none.
std::size_t find_line_dot(std::string_view octets);

}  // namespace sallyport::smtp
