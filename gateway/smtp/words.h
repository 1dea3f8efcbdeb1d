// Words between spaces and tabs: EHLO lines, the parameters of MAIL and RCPT.
#pragma once

#include <string_view>

#include "gateway/base/text.h"

namespace sallyport::smtp {

// The next word of `text`, taken off it with the white space before it; empty when there is none left.
inline std::string_view take_word(std::string_view& text) {
  text = text::trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace sallyport::smtp
