// Percent-encoding (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

namespace sallyport::url {

// Decodes once. A "%" that is not followed by two hexadecimal digits stays.
std::string percent_decoded(std::string_view text);
// Decodes a value of a query, where "+" is a space.
std::string query_decoded(std::string_view text);

// The normal form of a path or query (RFC 3986, 6.2.2): what need not be encoded is decoded, hexadecimal digits are in
// upper case, and what must not stand in a URL (white space, controls, quotes, octets beyond ASCII) is encoded.
std::string percent_normalized(std::string_view text);

}  // namespace sallyport::url
