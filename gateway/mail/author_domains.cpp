#include "gateway/mail/author_domains.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view specials = "()<>[]:;@\\,.\"";

bool is_atom_octet(char c) {
  return !text::is_space(c) && !text::is_control(c) && specials.find(c) == std::string_view::npos;
}

void add_once(std::vector<std::string>& list, std::string domain) {
  if (list.size() < max_author_domains && std::find(list.begin(), list.end(), domain) == list.end())
    list.push_back(std::move(domain));
}

// What one part of a mailbox has behind its @.
struct Found {
  std::vector<std::string> domains;
  bool malformed = false;

  bool is_empty() const { return domains.empty() && !malformed; }
  void add(std::string_view name) {
    if (auto domain = to_a_labels(name)) {
      add_once(domains, std::move(*domain));
    } else {
      malformed = true;
    }
  }
};

// Each name behind an @ of a text that no reader takes for an address unless there is no other.
void find_in_text(std::string_view text, Found& found) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at)) {
    const std::size_t begin = ++at;
    while (at < text.size() && (is_atom_octet(text[at]) || text[at] == '.')) ++at;
    if (at > begin && found.domains.size() < max_author_domains) found.add(text.substr(begin, at - begin));
  }
}

// Reads one From field, already unfolded to one line.
class Reading {
 public:
  Reading(std::string_view line, AuthorDomains& authors)
      : line_(line), authors_(authors), is_odd_(line.find('\0') != std::string_view::npos) {}

  void run() {
    while (at_ < line_.size()) step();
    end_mailbox();
    if (has_bracketed_) {
      show(undotted_);
    } else {
      count(undotted_);
    }
  }

 private:
  void step() {
    switch (line_[at_]) {
      case '"':
        return quoted_string();
      case '(':
        return comment();
      case '@':
        ++at_;
        return domain();
      case '<':
        ++at_;
        if (!is_in_brackets_) open_brackets();
        return;
      case '>':
        ++at_;
        is_in_brackets_ = false;
        return;
      case ',':
      case ';':
        ++at_;
        if (!is_in_brackets_) end_mailbox();
        return;
      case '\\':
        // A backslash outside quotes is a syntax error that some readers skip. Skip only the backslash and read what
        // follows.
        is_odd_ = true;
        ++at_;
        return;
      default:
        break;
    }
    if (!is_atom_octet(line_[at_])) {
      ++at_;
      return;
    }
    atom();
  }

  // An obsolete route, "<@relay.example:ann@example.org>", is passed over (RFC 5322, 4.4).
  void open_brackets() {
    is_in_brackets_ = true;
    has_brackets_ = true;
    skip_space_and_comments();
    if (at_ >= line_.size() || line_[at_] != '@') return;
    const std::size_t end = line_.find_first_of(":>", at_);
    if (end != std::string_view::npos && line_[end] == ':') at_ = end + 1;
  }

  // Behind the brackets text counts as inside: no reader expects an address there.
  Found& here() { return has_brackets_ ? address_ : phrase_; }

  void end_mailbox() {
    const bool only_brackets_count = has_brackets_ && !address_.is_empty() && !is_odd_;
    count(address_);
    if (only_brackets_count) {
      show(phrase_);
      show(quoted_);
      has_bracketed_ = true;
    } else {
      if (address_.is_empty() && phrase_.is_empty()) count(quoted_);
      if (!has_brackets_ && !is_odd_) set_undotted_aside();
      count(phrase_);
    }
    address_ = phrase_ = quoted_ = {};
    has_brackets_ = is_in_brackets_ = false;
  }

  // "Ann @ Work, Inc. <ann@example.org>": the comma makes a mailbox of the first half, which nobody meant. What cannot
  // be a domain of the internet is none beside an address in brackets.
  void set_undotted_aside() {
    for (const std::string& domain : phrase_.domains) {
      if (domain.find('.') == std::string::npos) add_once(undotted_.domains, domain);
    }
    std::erase_if(phrase_.domains, [](const std::string& domain) { return domain.find('.') == std::string::npos; });
    undotted_.malformed |= phrase_.malformed;
    phrase_.malformed = false;
  }

  void count(Found& found) {
    for (std::string& domain : found.domains) add_once(authors_.domains, std::move(domain));
    authors_.has_malformed_domain |= found.malformed;
  }

  void show(Found& found) {
    for (std::string& domain : found.domains) add_once(authors_.shown, std::move(domain));
  }

  // A quoted string is a display name, or a local part. In a local part an @ counts: some readers end it there.
  void quoted_string() {
    const std::size_t begin = at_ + 1;
    const std::size_t end = end_of_quotes(begin);
    if (end == std::string_view::npos) {  // not a quoted string: what follows is read as plain text
      ++at_;
      return;
    }
    at_ = end + 1;
    const std::string_view content = line_.substr(begin, end - begin);
    skip_space_and_comments();
    if (at_ >= line_.size() || line_[at_] != '@') return find_in_text(content, quoted_);
    const std::size_t inner = content.rfind('@');
    if (inner != std::string_view::npos) here().add(content.substr(inner + 1));
  }

  std::size_t end_of_quotes(std::size_t begin) {
    if (quotes_stay_open_) return std::string_view::npos;
    for (std::size_t i = begin; i < line_.size(); ++i) {
      if (line_[i] == '\\') {
        ++i;
      } else if (line_[i] == '"') {
        return i;
      }
    }
    quotes_stay_open_ = is_odd_ = true;  // so that a row of quotes is searched only once
    return std::string_view::npos;
  }

  void comment() {
    std::size_t depth = 0;
    for (std::size_t i = at_; i < line_.size() && !comments_stay_open_; ++i) {
      if (line_[i] == '\\') {
        ++i;
      } else if (line_[i] == '(') {
        ++depth;
      } else if (line_[i] == ')' && --depth == 0) {
        at_ = i + 1;
        return;
      }
    }
    comments_stay_open_ = is_odd_ = true;
    ++at_;
  }

  void skip_space_and_comments() {
    while (at_ < line_.size()) {
      if (text::is_space(line_[at_])) {
        ++at_;
      } else if (line_[at_] == '(' && !comments_stay_open_) {
        comment();
      } else {
        return;
      }
    }
  }

  // Reads the domain after an @. Spaces and comments may stand around its dots (RFC 5322, 4.4).
  void domain() {
    std::string name;
    while (true) {
      skip_space_and_comments();
      if (at_ >= line_.size()) break;
      if (line_[at_] == '.') {
        name += '.';
        ++at_;
        continue;
      }
      if (!is_atom_octet(line_[at_]) || (!name.empty() && name.back() != '.')) break;
      while (at_ < line_.size() && is_atom_octet(line_[at_])) name += line_[at_++];
    }
    if (!name.empty()) return here().add(name);
    // Nothing at all, or an address literal, is no domain (RFC 9989, 5.3.1); anything else should have been one.
    const bool has_ended = at_ >= line_.size() || std::string_view(">,;").find(line_[at_]) != std::string_view::npos;
    if (!has_ended && !skip_literal()) here().malformed = true;
  }

  bool skip_literal() {
    if (line_[at_] != '[' || literals_stay_open_) return false;
    const std::size_t end = line_.find_first_of("]>", at_);
    if (end == std::string_view::npos) literals_stay_open_ = true;
    if (end == std::string_view::npos || line_[end] != ']') return false;
    at_ = end + 1;
    return true;
  }

  // Finds addresses in encoded words: some readers decode before they look for addresses, although RFC 2047, 5 forbids
  // it.
  void atom() {
    const std::size_t begin = at_;
    while (at_ < line_.size() && (is_atom_octet(line_[at_]) || line_[at_] == '.')) ++at_;
    if (!line_.substr(begin).starts_with("=?")) return;
    // Words in a row are one text.
    for (std::size_t next = at_; next < line_.size() && text::is_space(line_[next]);) {
      while (next < line_.size() && text::is_space(line_[next])) ++next;
      if (!line_.substr(next).starts_with("=?")) break;
      while (next < line_.size() && (is_atom_octet(line_[next]) || line_[next] == '.')) ++next;
      at_ = next;
    }
    const std::string decoded = decode_words(line_.substr(begin, at_ - begin));
    const std::size_t open = decoded.find('<');
    const std::size_t at = decoded.find('@', open == std::string::npos ? decoded.size() : open);
    if (at == std::string::npos) return find_in_text(decoded, has_brackets_ ? address_ : quoted_);
    Found hidden;
    hidden.add(text::trim(std::string_view(decoded).substr(at + 1, decoded.find('>', at) - at - 1)));
    count(hidden);
  }

  std::string_view line_;
  AuthorDomains& authors_;
  std::size_t at_ = 0;
  // Of the mailbox that is being read:
  Found phrase_;
  Found quoted_;   // in its quoted strings and encoded words
  Found address_;  // in brackets, and behind them
  bool has_brackets_ = false;
  bool is_in_brackets_ = false;
  // Of the field: whether a mailbox has an address in brackets, and what counts only where none has.
  bool has_bracketed_ = false;
  Found undotted_;
  // Readers will differ about this field: nothing in it is passed over.
  bool is_odd_;
  bool quotes_stay_open_ = false;
  bool comments_stay_open_ = false;
  bool literals_stay_open_ = false;
};

// The value of a malformed line that some readers take for a From field: space before the field's name, or the colon on
// the next line.
std::optional<std::string_view> value_of_malformed_from(std::string_view line) {
  line = text::trim(line);
  if (!text::starts_with_ignoring_case(line, "from")) return std::nullopt;
  line = text::trim(line.substr(4));
  if (!line.starts_with(':')) return std::nullopt;
  return line.substr(1);
}

}  // namespace

AuthorDomains author_domains(const HeaderSection& header) {
  AuthorDomains authors;
  for (const HeaderField& field : header.fields()) {
    std::string line;
    if (text::equals_ignoring_case(field.name, "From")) {
      line = unfold(field.value);
    } else if (field.name.empty()) {
      const std::string whole = unfold(field.whole);
      const auto value = value_of_malformed_from(whole);
      if (!value) continue;
      line = *value;
      authors.has_malformed_name = true;
    } else {
      continue;
    }
    ++authors.fields;
    Reading(line, authors).run();
  }
  std::erase_if(authors.shown, [&](const std::string& domain) {
    return std::find(authors.domains.begin(), authors.domains.end(), domain) != authors.domains.end();
  });
  return authors;
}

}  // namespace sallyport::mail
