// What editors of some systems put before a text in UTF-8, and which is no part of it.
#pragma once

#include <string_view>

namespace sallyport {

inline std::string_view without_byte_order_mark(std::string_view utf8) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  return utf8.starts_with(mark) ? utf8.substr(mark.size()) : utf8;
}

}  // namespace sallyport
