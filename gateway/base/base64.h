// Base64 (RFC 4648, 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

std::string to_base64(std::string_view octets);

// The octets that `text` stands for. Strict but for white space (SP, HTAB, CR, LF), which may stand anywhere, as in
// tags of DKIM (RFC 6376, 2.10): whole groups of four, padding at the end where it belongs, no other octet. Nothing for
// what is not that, or stands for more than `most` octets; no more than that is ever allocated.
std::optional<std::string> from_base64(std::string_view text, std::size_t most = SIZE_MAX);

}  // namespace sallyport
