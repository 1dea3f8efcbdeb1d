// The name of a header field (RFC 5322, 2.2 and 3.6.8; of HTTP's fields too, which may have fewer characters).
#pragma once

#include <algorithm>
#include <string_view>

#include "gateway/base/text.h"

namespace sallyport {

// True for printable US-ASCII without spaces and colons, one character at least.
constexpr bool is_field_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return text::is_printable(c) && c != ' ' && c != ':'; });
}

}  // namespace sallyport
