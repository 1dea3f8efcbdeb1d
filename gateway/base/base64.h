// Base64 (RFC 4648, 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

std::string to_base64(std::string_view octets);

// Whether a last group of less than four digits must be filled up with "=".
enum class Padding { required, optional };

// Decodes `text`. White space (SP, HTAB, CR, LF) may stand anywhere, as in DKIM tags (RFC 6376, 2.10). Otherwise
// strict: whole groups of four, the last perhaps without its padding, padding only at the end, no other octets. Nothing
// if `text` is invalid or decodes to more than `most` octets; never allocates more than that.
std::optional<std::string> from_base64(std::string_view text, std::size_t most = SIZE_MAX,
                                       Padding end = Padding::required);

// Decodes as mail readers do (RFC 2045, 6.8): skips every octet that is not a digit, padding included, and drops bits
// that do not fill an octet.
std::string from_base64_leniently(std::string_view text);

}  // namespace sallyport
