// What is unusual about the way a URL was written. Each of these occurs in honest mail too; each is also a way to have
// a reader go where a scanner does not look.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"

namespace sallyport {

namespace url {

enum class Trick : std::uint8_t {
  no_scheme,  // "example.com/x"
  defanged,   // "hxxp://example[.]com"
  userinfo,   // "http://bank.example@evil.example/"
  slashes,    // other than two slashes behind the scheme, or a backslash for one
  spaces,     // tabs or line ends inside
  encoded,    // percent-encoding in the host
  invisible,  // characters in the host that are not seen
  letters,    // fullwidth and other forms of ASCII letters, digits and dots in the host
  ip,         // an IPv4 address as a number, in octal or hexadecimal, or short
  idn,        // letters beyond ASCII in the host
  odd_host,   // characters in the host that host names do not have
  cut,        // it was longer than allowed
};

// A set, in the order of the enumeration.
using Tricks = std::vector<Trick>;

inline bool has(const Tricks& tricks, Trick one) {
  return std::find(tricks.begin(), tricks.end(), one) != tricks.end();
}
inline void add(Tricks& tricks, Trick one) {
  const auto at = std::lower_bound(tricks.begin(), tricks.end(), one);
  if (at == tricks.end() || *at != one) tricks.insert(at, one);
}

}  // namespace url

template <>
inline constexpr auto words_of<url::Trick> =
    std::to_array<std::string_view>({"no_scheme", "defanged", "userinfo", "slashes", "spaces", "encoded", "invisible",
                                     "letters", "ip", "idn", "odd_host", "cut"});

}  // namespace sallyport
