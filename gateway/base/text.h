// Octets as text: ASCII only, independent of the locale, safe on any octet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::text {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
bool ends_with_ignoring_case(std::string_view text, std::string_view suffix);

// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);
// The parts between the separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

bool is_ascii(std::string_view text);
// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text);

struct CodePoint {
  char32_t value;
  std::size_t octets;  // how many encode it: 1 to 4
};
// The character that `text` begins with; nothing when it begins with no well-formed one.
std::optional<CodePoint> decode_utf8(std::string_view text);

// A decimal number of digits only (no sign, no space); nothing when empty, not a number, or over `most`.
std::optional<std::uint64_t> to_number(std::string_view digits, std::uint64_t most = UINT64_MAX);

std::string to_hex(std::string_view octets);  // lower case
std::optional<std::string> from_hex(std::string_view hex);

// Text of a peer, fit for a header field or a reply of ours (threats.md S37): A-Z a-z 0-9 . _ : - [ ] stay, every other
// octet becomes '?', cut at `most` octets.
std::string for_header(std::string_view peer_text, std::size_t most = 255);
// Text of a peer as printable ASCII (I7): every other octet becomes '?', cut at `most` octets.
std::string printable(std::string_view peer_text, std::size_t most = 400);
// The number of single-character edits between two words (Levenshtein), for did-you-mean.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The nearest of `candidates` (the first of several) when it is near enough to be meant: at most two edits, or a third
// of the word, and something in common. Else empty. Points into `candidates`.
std::string_view did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sallyport::text
