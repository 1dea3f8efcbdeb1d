#include "gateway/base/text.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace sallyport::text {

namespace {

// The first octet that is not ASCII; `end` where there is none.
const char* skip_ascii(const char* at, const char* end) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::uint64_t words[4];
  for (; end - at >= static_cast<std::ptrdiff_t>(sizeof words); at += sizeof words) {
    std::memcpy(words, at, sizeof words);
    if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0) break;
  }
  // Then a word at a time, whose first octet beyond ASCII is the lowest one.
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - at >= static_cast<std::ptrdiff_t>(sizeof words[0]); at += sizeof words[0]) {
      std::memcpy(words, at, sizeof words[0]);
      const std::uint64_t beyond = words[0] & high_bits;
      if (beyond != 0) return at + std::countr_zero(beyond) / 8;
    }
  }
  while (at != end && is_ascii(*at)) ++at;
  return at;
}

template <class Change>
std::string mapped(std::string_view text, Change change) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), change);
  return out;
}

// -1 if `c` is not a hexadecimal digit.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_header_safe(char c) { return is_alnum(c) || std::string_view("._:-[]").find(c) != std::string_view::npos; }

}  // namespace

std::string to_lower(std::string_view text) {
  return mapped(text, [](char c) { return lower(c); });
}
std::string to_upper(std::string_view text) {
  return mapped(text, [](char c) { return upper(c); });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && equals_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) out += separator;
    out += part;
  }
  return out;
}

bool is_ascii(std::string_view text) {
  const char* const end = text.data() + text.size();
  return skip_ascii(text.data(), end) == end;
}

std::optional<CodePoint> decode_utf8(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t first = octet(0);
  if (first < 0x80) return CodePoint{first, 1};

  // RFC 3629, 4: the length, and the range of the second octet, which excludes overlong forms, surrogates and values
  // above U+10FFFF.
  std::size_t length;
  std::uint8_t lowest = 0x80, highest = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) lowest = 0xa0;
    if (first == 0xed) highest = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) lowest = 0x90;
    if (first == 0xf4) highest = 0x8f;
  } else {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  char32_t value = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (octet(i) < lowest || octet(i) > highest) return std::nullopt;
    value = (value << 6) | (octet(i) & 0x3fu);
    lowest = 0x80;
    highest = 0xbf;
  }
  return CodePoint{value, length};
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    at = skip_ascii(at, end);
    if (at == end) return true;
    const auto character = decode_utf8({at, static_cast<std::size_t>(end - at)});
    if (!character) return false;
    at += character->octets;
  }
}

std::optional<std::uint64_t> to_number(std::string_view digits, std::uint64_t most) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (UINT64_MAX - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  if (number > most) return std::nullopt;
  return number;
}

std::string to_hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(octets.size() * 2);
  for (char c : octets) {
    auto octet = static_cast<std::uint8_t>(c);
    out += digits[octet >> 4];
    out += digits[octet & 0xf];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string for_header(std::string_view peer_text, std::size_t most) {
  return mapped(peer_text.substr(0, most), [](char c) { return is_header_safe(c) ? c : '?'; });
}

std::string printable(std::string_view peer_text, std::size_t most) {
  return mapped(peer_text.substr(0, most), [](char c) { return is_printable(c) ? c : '?'; });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // One row of the usual table: row[j] is the distance of the part of `a` seen so far to the first j characters of `b`.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

std::string_view did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t near_enough = std::max<std::size_t>(2, word.size() / 3);
  // Letters of another case are the same here: who writes `external_tag` means EXTERNAL_TAG.
  const std::string meant = to_lower(word);
  std::string_view best;
  std::size_t best_distance = near_enough + 1;
  for (const std::string& candidate : candidates) {
    std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) >= best_distance) continue;
    std::size_t distance = edit_distance(meant, to_lower(candidate));
    // Entirely different words are no suggestion, however short they are.
    if (distance >= best_distance || distance >= longer) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace sallyport::text
