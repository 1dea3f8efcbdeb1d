// Punycode (RFC 3492), for names that IDNA2008 forbids and browsers still ask the DNS for, such as "i❤.example".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::url {

// "xn--i-7iq" of "i❤". An ASCII label stays as it is. Nothing when the label is not UTF-8, or longer than 63 octets
// would be.
std::optional<std::string> to_punycode(std::string_view label);

}  // namespace sallyport::url
