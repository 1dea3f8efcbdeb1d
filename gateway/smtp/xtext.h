// xtext (RFC 3461, 4): printable ASCII without space in which "+", "=" and every other octet stand as "+" and two
// hexadecimal digits. Encoded text has no octet that could end a word or a line of SMTP.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::smtp {

std::string to_xtext(std::string_view octets);
// Nothing if the text is not xtext. Digits of either case are understood, which RFC 3461 does not ask for.
std::optional<std::string> from_xtext(std::string_view xtext);

}  // namespace sallyport::smtp
