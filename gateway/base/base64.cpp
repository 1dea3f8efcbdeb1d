#include "gateway/base/base64.h"

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The values 0 to 63 are digits; these mark the other octets.
constexpr std::uint8_t is_white = 64;
constexpr std::uint8_t is_padding = 65;
constexpr std::uint8_t is_nothing = 66;

constexpr std::array<std::uint8_t, 256> meanings = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(is_nothing);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  for (char c : {' ', '\t', '\r', '\n'}) table[static_cast<unsigned char>(c)] = is_white;
  table['='] = is_padding;
  return table;
}();

// Appends the octets of a group in one call: appending them singly was half the cost of parsing a signature.
void append_group(std::string& out, std::uint32_t bits, std::size_t octets) {
  const std::array<char, 3> group{static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
  out.append(group.data(), octets);
}

// The bits of a group of four adjacent digits (the usual case); nothing if the next four octets are not all digits.
std::optional<std::uint32_t> group_in_front(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t bits = 0;
  std::uint8_t all = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t meaning = meanings[static_cast<unsigned char>(text[i])];
    all |= meaning;
    bits = bits << 6 | meaning;
  }
  // All marks have bit 6 set, digits do not.
  if (all >= is_white) return std::nullopt;
  return bits;
}

}  // namespace

std::string to_base64(std::string_view octets) {
  std::string text((octets.size() + 2) / 3 * 4, '=');
  std::size_t at = 0;
  for (; !octets.empty(); octets.remove_prefix(std::min<std::size_t>(3, octets.size()))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0u);
    const std::size_t digits = std::min<std::size_t>(octets.size(), 3) + 1;
    for (std::size_t i = 0; i < digits; ++i) text[at + i] = alphabet[bits >> (18 - 6 * i) & 63];
    at += 4;
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text, std::size_t most, Padding end) {
  std::string octets;
  octets.reserve(std::min(text.size() / 4 * 3, most));
  std::uint32_t bits = 0;
  unsigned digits = 0;   // digits of the current group, padding included
  unsigned padding = 0;  // after padding only padding may follow
  while (!text.empty()) {
    const bool begins_a_group = digits == 0 && padding == 0;
    if (const auto group = begins_a_group ? group_in_front(text) : std::nullopt) {
      if (octets.size() + 3 > most) return std::nullopt;
      append_group(octets, *group, 3);
      text.remove_prefix(4);
      continue;
    }
    const std::uint8_t meaning = meanings[static_cast<unsigned char>(text.front())];
    text.remove_prefix(1);
    if (meaning == is_white) continue;
    if (meaning == is_nothing || (padding > 0 && (meaning != is_padding || digits == 0))) return std::nullopt;
    if (meaning == is_padding) {
      if (digits < 2) return std::nullopt;
      ++padding;
    }
    bits = bits << 6 | (meaning & 63);
    if (++digits < 4) continue;
    const std::size_t count = 3 - padding;
    if (octets.size() + count > most) return std::nullopt;
    append_group(octets, bits, count);
    digits = 0;
  }
  if (digits == 0) return octets;
  // A group that was begun: two digits are one octet, three are two. Padding, where there is some, must be whole.
  if (end == Padding::required || padding > 0 || digits < 2) return std::nullopt;
  const std::size_t count = digits - 1;
  if (octets.size() + count > most) return std::nullopt;
  append_group(octets, bits << (6 * (4 - digits)), count);
  return octets;
}

std::string from_base64_leniently(std::string_view text) {
  std::string octets;
  octets.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : text) {
    const std::uint8_t meaning = meanings[static_cast<unsigned char>(c)];
    if (meaning >= is_white) continue;
    bits = bits << 6 | meaning;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>(bits >> count);
  }
  return octets;
}

}  // namespace sallyport
