#include "gateway/url/percent.h"

#include <optional>

#include "gateway/base/text.h"

namespace sallyport::url {

namespace {

std::optional<unsigned> hex_digit(char c) {
  if (text::is_digit(c)) return static_cast<unsigned>(c - '0');
  const char low = text::lower(c);
  if (low >= 'a' && low <= 'f') return static_cast<unsigned>(low - 'a' + 10);
  return std::nullopt;
}

// The octet that the three characters at `at` stand for.
std::optional<char> encoded_octet(std::string_view text, std::size_t at) {
  if (text[at] != '%' || text.size() - at < 3) return std::nullopt;
  const auto high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

void append_encoded(std::string& out, char octet) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(octet);
  out += '%';
  out += digits[value >> 4];
  out += digits[value & 15];
}

// RFC 3986, 2.3.
bool is_unreserved(char c) { return text::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

bool must_be_encoded(char c) {
  constexpr std::string_view forbidden = " \"<>`{}|^\\";
  return !text::is_printable(c) || forbidden.find(c) != std::string_view::npos;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = encoded_octet(text, i);
    out += octet.value_or(text[i]);
    if (octet) i += 2;
  }
  return out;
}

std::string query_decoded(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return percent_decoded(spaced);
}

std::string percent_normalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto octet = encoded_octet(text, i)) {
      if (is_unreserved(*octet)) {
        out += *octet;
      } else {
        append_encoded(out, *octet);
      }
      i += 2;
    } else if (must_be_encoded(text[i])) {
      append_encoded(out, text[i]);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace sallyport::url
