#include "gateway/mail/address_list.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

namespace {

// A mailbox whose name has not been decoded.
struct RawMailbox {
  std::string address;
  std::string name;
};

// Reads an address list from left to right, one token at a time.
class AddressReader {
 public:
  explicit AddressReader(std::string_view text) : text_(text) {}

  // False: there are no more.
  bool next(RawMailbox& mailbox) {
    while (at_ < text_.size()) {
      if (step()) return take(mailbox);
    }
    end_word();
    return has_address() && take(mailbox);
  }

 private:
  // True when a mailbox with an address has ended.
  bool step() {
    const char c = text_[at_];
    if (c == '<') {
      end_word();
      in_angles();
    } else if (c == ',' || c == ';' || c == ':') {
      end_word();
      ++at_;
      if (has_address()) return true;
      // A comma may belong to a name. Before a colon stands the name of a group.
      c == ',' ? void(phrase_ += ',') : forget();
    } else if (text::is_space(c)) {
      end_word();
      if (!phrase_.empty() && phrase_.back() != ' ') phrase_ += ' ';
      ++at_;
    } else {
      take_token(word_);
    }
    return false;
  }

  bool has_address() const { return !bracketed_.empty() || !bare_.empty(); }

  bool take(RawMailbox& mailbox) {
    // The address itself is no part of the name, unless another one stands in brackets.
    if (bracketed_.empty()) phrase_.replace(bare_at_, bare_.size(), " ");
    std::string_view name = phrase_;
    while (!name.empty() && (text::is_space(name.front()) || name.front() == ',')) name.remove_prefix(1);
    while (!name.empty() && (text::is_space(name.back()) || name.back() == ',')) name.remove_suffix(1);
    mailbox.address = bracketed_.empty() ? bare_ : bracketed_;
    mailbox.name = name.empty() ? std::string(text::trim(comment_)) : std::string(name);
    forget();
    return true;
  }

  void forget() {
    phrase_.clear();
    comment_.clear();
    bare_.clear();
    bracketed_.clear();
  }

  // A word is an address only if it has an @ outside quotes. The first such word of a mailbox counts.
  void end_word() {
    if (has_at_ && bare_.empty()) {
      bare_ = word_;
      bare_at_ = phrase_.size();
    }
    phrase_ += word_;
    word_.clear();
    has_at_ = false;
  }

  void in_angles() {
    const std::size_t begin = at_++;
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
    has_at_ = false;
    if (bracketed_.empty()) {
      bracketed_ = std::move(address);
    } else {
      phrase_ += text_.substr(begin, at_ - begin);
    }
  }

  // A quoted string, a comment, a domain literal or one octet.
  void take_token(std::string& out) {
    switch (text_[at_]) {
      case '"':
        return take_quoted(out);
      case '(':
        return take_comment();
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

  void take_comment() {
    comment_.clear();
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ')' && --depth == 0) {
        ++at_;
        return;
      }
      if (depth > 0) comment_ += c;
      if (c == '(') ++depth;
      if (c == '\\' && at_ + 1 < text_.size()) {
        comment_.back() = text_[++at_];
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
  bool has_at_ = false;  // the word has an @ outside quotes
  // Of the mailbox that is being read: all words, the last comment, and its address without and with brackets.
  std::string phrase_;
  std::string comment_;
  std::string bare_;
  std::size_t bare_at_ = 0;  // where the bare address stands in the phrase
  std::string bracketed_;
};

}  // namespace

std::string first_address(std::string_view value) {
  const std::string line = unfold(value);
  RawMailbox first;
  return AddressReader(line).next(first) ? std::move(first.address) : std::string();
}

std::vector<Mailbox> mailboxes(std::string_view value, std::size_t most, std::string_view raw_charset) {
  const std::string line = unfold(value);
  AddressReader reader(line);
  std::vector<Mailbox> found;
  RawMailbox raw;
  while (found.size() < most && reader.next(raw)) {
    found.push_back({std::move(raw.address), decode_text(raw.name, raw_charset).text});
  }
  return found;
}

}  // namespace sallyport::mail
