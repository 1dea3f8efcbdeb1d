// Functions on text: ASCII only, independent of the locale, defined for any octet.
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

// Removes spaces and tabs at both ends.
std::string_view trim(std::string_view text);
// Removes the next word and the white space before it from `text` and gives it; empty when there is none left.
std::string_view take_word(std::string_view& text);
// The parts between the separators; an empty text gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

bool is_ascii(std::string_view text);
// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

struct CodePoint {
  char32_t value;
  std::size_t octets;  // length of its encoding: 1 to 4
};
// The first character of `text`; nothing if `text` does not begin with well-formed UTF-8.
std::optional<CodePoint> decode_utf8(std::string_view text);

// A decimal number of digits only (no sign, no space); nothing if empty, not a number, or above `most`.
std::optional<std::uint64_t> to_number(std::string_view digits, std::uint64_t most = UINT64_MAX);

std::string to_hex(std::string_view octets);  // lower case
std::optional<std::string> from_hex(std::string_view hex);

// Filters a peer's text for use in a header field or reply of ours (threats.md S37): A-Z a-z 0-9 . _ : - [ ] stay,
// every other octet becomes '?'; cut at `most` octets.
std::string for_header(std::string_view peer_text, std::size_t most = 255);
// Filters a peer's text to printable ASCII (I7): every other octet becomes '?'; cut at `most` octets.
std::string printable(std::string_view peer_text, std::size_t most = 400);
// The number of single-character edits between two words (Levenshtein), for did-you-mean.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate nearest to `word` (the first of several) if it is near enough to be meant: at most two edits, or a
// third of the word, and not entirely different. Otherwise empty. The view points into `candidates`.
std::string_view did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sallyport::text
