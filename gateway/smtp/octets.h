// Questions asked of every octet that passes: is there 8-bit, a NUL, a CR or LF outside a pair, a dot that begins a
// line?
//
// Plain loops over memory without an early exit, which the compiler turns into vector code: asking costs far less than
// moving the octets does. (A string_view's operator[] checks its index, which keeps the loop from being vectorised; so
// does an answer collected in anything wider than an octet from being quick.)
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::smtp {

inline bool has_8bit(std::string_view octets) {
  const char* const at = octets.data();
  const std::size_t size = octets.size();
  unsigned char seen = 0;
  for (std::size_t i = 0; i < size; ++i) seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(at[i]));
  return (seen & 0x80U) != 0;
}

inline bool has_nul(std::string_view octets) { return octets.find('\0') != std::string_view::npos; }

// True when every CR has its LF and every LF its CR, as far as the octets themselves tell: an LF that comes first and a
// CR that comes last have their partners outside and are the caller's to judge.
inline bool has_only_crlf_inside(std::string_view octets) {
  const char* const at = octets.data();
  const std::size_t size = octets.size();
  unsigned char bare = 0;
  for (std::size_t i = 1; i < size; ++i)
    bare = static_cast<unsigned char>(bare | static_cast<unsigned char>((at[i - 1] == '\r') != (at[i] == '\n')));
  return bare == 0;
}

// Where in `octets` the first dot stands that follows a CR or LF, which has to be among them; npos when there is none.
inline std::size_t find_line_dot(std::string_view octets) {
  constexpr std::size_t step = 64;  // octets looked at in one go; what a dot costs, at most
  const auto is_line_dot = [](const char* at) {
    return static_cast<unsigned char>((at[0] == '.') & ((at[-1] == '\r') | (at[-1] == '\n')));
  };
  const char* const at = octets.data();
  std::size_t i = 1;
  for (; i + step <= octets.size(); i += step) {
    unsigned char found = 0;
    for (std::size_t j = i; j < i + step; ++j) found = static_cast<unsigned char>(found | is_line_dot(at + j));
    if (found != 0) break;
  }
  for (; i < octets.size(); ++i)
    if (is_line_dot(at + i) != 0) return i;
  return std::string_view::npos;
}

}  // namespace sallyport::smtp
