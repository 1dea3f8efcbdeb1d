#include "gateway/mail/author_domains.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "gateway/base/a_labels.h"
#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view specials = "()<>[]:;@\\,.\"";

bool is_atom_octet(char c) {
  return !text::is_space(c) && !text::is_control(c) && specials.find(c) == std::string_view::npos;
}

// Reads one From field, already unfolded to one line.
class Reading {
 public:
  Reading(std::string_view line, AuthorDomains& found) : line_(line), found_(found) {}

  void run() {
    while (at_ < line_.size()) step();
  }

 private:
  void step() {
    switch (line_[at_]) {
      case '"':
        quoted_string();
        return;
      case '(':
        comment();
        return;
      case '@':
        ++at_;
        domain();
        return;
      case '\\':
        // A backslash outside quotes is a syntax error that some readers skip. Skip only the backslash and read what
        // follows.
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

  // A quoted string is skipped if it is a display name. If it is a local part, an @ in it counts: some readers end the
  // local part there.
  void quoted_string() {
    const std::size_t begin = at_ + 1;
    const std::size_t end = end_of_quotes(begin);
    if (end == std::string_view::npos) {  // not a quoted string: what follows is read as plain text
      ++at_;
      return;
    }
    at_ = end + 1;
    skip_space_and_comments();
    if (at_ >= line_.size() || line_[at_] != '@') return;
    const std::size_t inner = line_.substr(begin, end - begin).rfind('@');
    if (inner != std::string_view::npos) add(line_.substr(begin + inner + 1, end - begin - inner - 1));
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
    quotes_stay_open_ = true;  // so that a row of quotes is searched only once
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
    comments_stay_open_ = true;
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
    add(name);
  }

  // Finds addresses in an encoded word: some readers decode before they look for addresses, although RFC 2047, 5
  // forbids it.
  void atom() {
    const std::size_t begin = at_;
    while (at_ < line_.size() && (is_atom_octet(line_[at_]) || line_[at_] == '.')) ++at_;
    const std::string_view word = line_.substr(begin, at_ - begin);
    if (!word.starts_with("=?")) return;
    const std::string decoded = decode_words(word);
    const std::size_t open = decoded.find('<');
    const std::size_t at = decoded.find('@', open == std::string::npos ? decoded.size() : open);
    if (at == std::string::npos) return;
    add(text::trim(std::string_view(decoded).substr(at + 1, decoded.find('>', at) - at - 1)));
  }

  void add(std::string_view name) {
    auto domain = to_a_labels(name);
    if (!domain) {
      found_.has_unusable = true;
      return;
    }
    const bool is_known = std::find(found_.domains.begin(), found_.domains.end(), *domain) != found_.domains.end();
    if (!is_known && found_.domains.size() < max_author_domains) found_.domains.push_back(std::move(*domain));
  }

  std::string_view line_;
  AuthorDomains& found_;
  std::size_t at_ = 0;
  bool quotes_stay_open_ = false;
  bool comments_stay_open_ = false;
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
  AuthorDomains found;
  for (const HeaderField& field : header.fields()) {
    std::string line;
    if (text::equals_ignoring_case(field.name, "From")) {
      line = unfold(field.value);
    } else if (field.name.empty()) {
      const std::string whole = unfold(field.whole);
      const auto value = value_of_malformed_from(whole);
      if (!value) continue;
      line = *value;
      found.has_malformed_name = true;
    } else {
      continue;
    }
    ++found.fields;
    Reading(line, found).run();
  }
  return found;
}

}  // namespace sallyport::mail
