// Decodes the values of header fields: unfolding, encoded words, addresses. The header section itself is in header.cpp.
#include <algorithm>
#include <optional>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

bool is_line_octet(char c) { return c == '\r' || c == '\n'; }

// -- encoded words (RFC 2047)

enum class Charset { ascii, latin1, utf8 };

std::optional<Charset> known_charset(std::string_view name) {
  name = name.substr(0, name.find('*'));  // a language tag may follow
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

// Parses an encoded word at the start of `text`. Words longer than the allowed 75 octets are common and accepted.
// Searches no further than the third question mark, so that a row of false starts stays linear.
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

std::string decode(const EncodedWord& word) {
  std::string octets = word.encoding == 'q' ? decode_q(word.text) : from_base64_leniently(word.text);
  // A decoded control must not become a line end or a terminal's command when it is shown.
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

std::string as_utf8(std::string octets) {
  if (text::is_utf8(octets)) return octets;
  std::string valid;
  for (std::string_view rest = octets; !rest.empty();) {
    const auto next = text::decode_utf8(rest);
    valid += next ? rest.substr(0, next->octets) : replacement;
    rest.remove_prefix(next ? next->octets : 1);
  }
  return valid;
}

// -- addresses (RFC 5322, 3.4)

// Reads an address list from left to right, one token at a time, without recursion.
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
        // End of a mailbox. A colon ends a group's name instead, unless there was an @ before it.
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
  // A word is an address only if it has an @ outside quotes. The first such word of a mailbox counts.
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
    // Unchanged, up to where the next encoded word may begin.
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
