// What header fields say: unfolding, encoded words, addresses. The section itself is header.cpp's.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

bool is_line_octet(char c) { return c == '\r' || c == '\n'; }

// -- encoded words (RFC 2047)
// ---------------------------------------------------------------------------------------------

enum class Charset { ascii, latin1, utf8 };

std::optional<Charset> known_charset(std::string_view name) {
  name = name.substr(0, name.find('*'));  // a language may follow (RFC 2231, 5)
  if (text::equals_ignoring_case(name, "utf-8")) return Charset::utf8;
  if (text::equals_ignoring_case(name, "iso-8859-1")) return Charset::latin1;
  if (text::equals_ignoring_case(name, "us-ascii")) return Charset::ascii;
  return std::nullopt;
}

struct EncodedWord {
  Charset charset = Charset::ascii;
  char encoding = 'q';  // q or b
  std::string_view text;
  std::size_t length = 0;  // from "=?" to "?="
};

// The encoded word at the start of `text`. Longer ones than the 75 octets allowed are seen every day. Looks at most
// past three question marks, so that a row of false starts stays linear.
std::optional<EncodedWord> read_encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find_first_of("? ", 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size()) return std::nullopt;
  if (text[charset_end] != '?' || text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || !text.substr(end).starts_with("?=")) return std::nullopt;

  EncodedWord word;
  const auto charset = known_charset(text.substr(2, charset_end - 2));
  word.encoding = text::lower(text[charset_end + 1]);
  if (!charset || (word.encoding != 'q' && word.encoding != 'b')) return std::nullopt;
  word.charset = *charset;
  word.text = text.substr(begin, end - begin);
  word.length = end + 2;
  return word;
}

std::string decode_q(std::string_view encoded) {
  std::string octets;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '=') {
      if (auto octet = text::from_hex(encoded.substr(i + 1, 2)); octet && octet->size() == 1) {
        octets += *octet;
        i += 2;
        continue;
      }
    }
    octets += encoded[i] == '_' ? ' ' : encoded[i];
  }
  return octets;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// Octets outside the alphabet are passed over, as readers of mail do (RFC 2045, 6.8).
std::string decode_b(std::string_view encoded) {
  std::string octets;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : encoded) {
    const int value = base64_value(c);
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>(bits >> count & 0xff);
  }
  return octets;
}

std::string decode(const EncodedWord& word) {
  std::string octets = word.encoding == 'q' ? decode_q(word.text) : decode_b(word.text);
  // What is hidden in a word may not become a line end or a terminal's command once it is shown.
  for (char& c : octets) {
    if (text::is_control(c)) c = ' ';
  }
  if (word.charset != Charset::latin1) return octets;
  std::string utf8;
  for (char c : octets) {
    if (text::is_ascii(c)) {
      utf8 += c;
      continue;
    }
    const auto code = static_cast<unsigned char>(c);
    utf8 += static_cast<char>(0xc0 | code >> 6);
    utf8 += static_cast<char>(0x80 | (code & 0x3f));
  }
  return utf8;
}

// The length of the well-formed UTF-8 character at the start of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && text::is_utf8(text.substr(0, length)) ? length : 0;
}

std::string as_utf8(std::string octets) {
  if (text::is_utf8(octets)) return octets;
  std::string valid;
  for (std::string_view rest = octets; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    valid += length > 0 ? rest.substr(0, length) : replacement;
    rest.remove_prefix(length > 0 ? length : 1);
  }
  return valid;
}

// -- addresses (RFC 5322, 3.4)
// ----------------------------------------------------------------------------------------------

// Reads an address list left to right, one token of it at a time, without recursion.
class AddressReader {
 public:
  explicit AddressReader(std::string_view text) : text_(text) {}

  std::string first() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '<') {
        if (std::string address = in_angles(); !address.empty()) return address;
      } else if (c == ',' || c == ';' || c == ':') {
        end_word();
        // The mailbox is over. A colon ends the name of a group instead, but one with an @ before it is no name.
        if (!found_.empty()) return found_;
        ++at_;
      } else if (text::is_space(c)) {
        end_word();
        ++at_;
      } else {
        take_token(word_);
      }
    }
    end_word();
    return found_;
  }

 private:
  // A word is an address only when an @ stands outside its quotes; the first one of a mailbox counts.
  void end_word() {
    if (has_at_ && found_.empty()) found_ = word_;
    word_.clear();
    has_at_ = false;
  }

  std::string in_angles() {
    ++at_;
    std::string address;
    while (at_ < text_.size() && text_[at_] != '>') {
      const char c = text_[at_];
      if (text::is_space(c)) {
        ++at_;
      } else if (c == ':' && address.starts_with('@')) {
        address.clear();  // what came before was a source route
        ++at_;
      } else {
        take_token(address);
      }
    }
    if (at_ < text_.size()) ++at_;
    return address;
  }

  // A quoted string, a comment, a domain literal or one octet.
  void take_token(std::string& out) {
    switch (text_[at_]) {
      case '"':
        return take_quoted(out);
      case '(':
        return skip_comment();
      case '[':
        return take_literal(out);
      case '@':
        has_at_ = true;
        [[fallthrough]];
      default:
        out += text_[at_++];
    }
  }

  void take_quoted(std::string& out) {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ < text_.size()) ++at_;
  }

  void skip_comment() {
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '(') {
        ++depth;
      } else if (text_[at_] == ')' && --depth == 0) {
        ++at_;
        return;
      }
    }
  }

  void take_literal(std::string& out) {
    const std::size_t end = std::min(text_.find(']', at_), text_.size() - 1);
    out += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool has_at_ = false;
  std::string found_;
};

}  // namespace

std::string unfold(std::string_view value) {
  std::string line;
  line.reserve(value.size());
  while (true) {
    const auto end = std::find_if(value.begin(), value.end(), is_line_octet);
    line.append(value.begin(), end);
    value.remove_prefix(static_cast<std::size_t>(end - value.begin()));
    if (value.empty()) return std::string(text::trim(line));
    const bool folds = value.starts_with("\r\n") && value.size() > 2 && text::is_space(value[2]);
    if (!folds) line += ' ';
    value.remove_prefix(folds ? 2 : 1);
  }
}

std::string decode_words(std::string_view value) {
  const std::string line = unfold(value);
  std::string decoded;
  bool after_word = false;
  for (std::string_view rest = line; !rest.empty();) {
    // White space between two encoded words is not shown (RFC 2047, 6.2).
    const std::size_t spaces = std::min(rest.find_first_not_of(" \t"), rest.size());
    if (const auto word = read_encoded_word(rest.substr(spaces))) {
      if (!after_word) decoded += rest.substr(0, spaces);
      decoded += decode(*word);
      rest.remove_prefix(spaces + word->length);
      after_word = true;
      continue;
    }
    // As it stands, up to where the next word may begin.
    const std::size_t plain = std::min(rest.find_first_of("= \t", spaces + 1), rest.size());
    decoded += rest.substr(0, plain);
    rest.remove_prefix(plain);
    after_word = false;
  }
  return as_utf8(std::move(decoded));
}

std::string first_address(std::string_view value) {
  const std::string line = unfold(value);
  return AddressReader(line).first();
}

}  // namespace sallyport::mail
