// Reads the values of header fields: unfolding, addresses. Encoded words are in encoded_words.cpp.
#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

namespace {

bool is_line_octet(char c) { return c == '\r' || c == '\n'; }

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

std::string first_address(std::string_view value) {
  const std::string line = unfold(value);
  return AddressReader(line).first();
}

}  // namespace sallyport::mail
