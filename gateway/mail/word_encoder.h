// Writes text into header fields: as encoded words (RFC 2047) where it cannot stand there as it is.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mail {

// True for text that readers would not show as it is: not printable ASCII, or something that looks like an encoded
// word.
bool needs_encoding(std::string_view text);

// Encoded words of UTF-8, folded where one is not enough: none is longer than 75 octets, none ends within a character.
// Text that is no UTF-8 is encoded octet by octet.
std::string to_encoded_words(std::string_view text);

// The text as it stands in an unstructured field: encoded where it must be.
std::string encode_text(std::string_view text);

}  // namespace sallyport::mail
