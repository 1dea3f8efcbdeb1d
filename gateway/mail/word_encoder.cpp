#include "gateway/mail/word_encoder.h"

#include <algorithm>
#include <array>

#include "gateway/base/text.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view opening = "=?UTF-8?Q?";
constexpr std::string_view closing = "?=";
constexpr std::size_t longest_word = 75;  // RFC 2047, 2

// RFC 2047, 5 (3): what may stand unencoded wherever an encoded word may.
bool stands_for_itself(char c) {
  return text::is_alnum(c) || std::string_view("!*+-/").find(c) != std::string_view::npos;
}

void add_octet(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto octet = static_cast<unsigned char>(c);
  if (c == ' ') {
    out += '_';
  } else if (stands_for_itself(c)) {
    out += c;
  } else {
    out += {'=', digits[octet >> 4], digits[octet & 15]};
  }
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

bool needs_encoding(std::string_view text) {
  return text.find("=?") != std::string_view::npos ||
         !std::all_of(text.begin(), text.end(), [](char c) { return text::is_printable(c); });
}

std::string to_encoded_words(std::string_view text) {
  constexpr std::size_t room = longest_word - opening.size() - closing.size();
  std::string words(opening);
  std::size_t used = 0;
  while (!text.empty()) {
    std::size_t length = 1;  // of the next character; of what is no UTF-8, no more than one could have
    while (length < text.size() && length < 4 && continues_character(text[length])) ++length;
    std::string character;
    for (char c : text.substr(0, length)) add_octet(character, c);
    if (used + character.size() > room) {
      words.append(closing).append("\r\n ").append(opening);
      used = 0;
    }
    words += character;
    used += character.size();
    text.remove_prefix(length);
  }
  return words.append(closing);
}

std::string encode_text(std::string_view text) {
  return needs_encoding(text) ? to_encoded_words(text) : std::string(text);
}

}  // namespace sallyport::mail
