#include "gateway/mime/parameters.h"

#include <algorithm>
#include <utility>

#include "gateway/base/charset.h"
#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "gateway/mime/limits.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t max_parameters = 1000;
constexpr std::size_t max_found = 48;        // by the search, of one field
constexpr std::size_t max_tries = 64;        // occurrences of keys that the search looks at
constexpr std::size_t max_looked_at = 2048;  // octets of a value that the search looks at
constexpr std::size_t max_sections = 1000;
constexpr std::size_t kept_of_end = 128;  // of a value that is too long: a name's extension is there

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

// Steps over a comment that begins at `at`; false when it is not closed.
bool skip_comment(std::string_view text, std::size_t& at) {
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '(') {
      ++depth;
    } else if (text[at] == ')' && --depth == 0) {
      ++at;
      return true;
    }
  }
  at = text.size();
  return false;
}

std::string without(std::string_view text, std::string_view octets) {
  std::string rest;
  for (char c : text) {
    if (octets.find(c) == std::string_view::npos) rest += c;
  }
  return rest;
}

// Sets key, section and form of "name*2*".
void set_key(Parameter& parameter, std::string_view written) {
  std::size_t star = written.find('*');
  parameter.key = text::to_lower(trim(written.substr(0, star)));
  if (star == std::string_view::npos) return;
  std::string_view rest = trim(written.substr(star + 1));
  if (rest.empty()) {
    parameter.is_extended = true;
    return;
  }
  if (rest.ends_with('*')) {
    parameter.is_extended = true;
    rest.remove_suffix(1);
  }
  const auto number = text::to_number(rest, 1000000);
  if (number) parameter.section = static_cast<std::uint32_t>(*number);
}

// Reads by the grammar. `is_regular` tells whether the whole field follows it.
class GrammarReader {
 public:
  GrammarReader(std::string_view text, ParameterField& out) : text_(text), out_(out) {}

  bool is_regular() const { return is_regular_; }

  void run() {
    out_.value = read_main();
    while (at_ < text_.size() && out_.parameters.size() < max_parameters) read_parameter();
    if (at_ < text_.size()) is_regular_ = false;
    out_.is_over_limit = out_.parameters.size() >= max_parameters && at_ < text_.size();
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }

  void skip_white() {
    while (!at_end()) {
      if (is_white(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '(') {
        is_regular_ = false;
        out_.oddities.add(Oddity::comment_in_parameter);
        skip_comment(text_, at_);
      } else {
        return;
      }
    }
  }

  std::string read_main() {
    std::string main;
    while (!at_end() && text_[at_] != ';') {
      if (text_[at_] == '(') {
        skip_white();
        continue;
      }
      if (text_[at_] == '"' || text_[at_] == '\\' || text_[at_] == '=') is_regular_ = false;
      main += text_[at_++];
    }
    return std::string(trim(main));
  }

  void read_parameter() {
    skip_white();
    while (!at_end() && text_[at_] == ';') {
      ++at_;
      skip_white();
    }
    if (at_end()) return;
    const std::size_t begin = at_;
    while (!at_end() && text_[at_] != '=' && text_[at_] != ';' && text_[at_] != '(' && text_[at_] != '"') ++at_;
    Parameter parameter;
    const std::string_view key = trim(text_.substr(begin, at_ - begin));
    set_key(parameter, key);
    if (key.find_first_of(" \t\\") != std::string_view::npos || key.size() != at_ - begin) is_regular_ = false;
    skip_white();
    if (at_end() || text_[at_] != '=') {
      is_regular_ = false;
      while (!at_end() && text_[at_] != ';') ++at_;
      return;
    }
    ++at_;
    if (!at_end() && is_white(text_[at_])) is_regular_ = false;
    skip_white();
    parameter.value = read_value();
    skip_white();
    if (!at_end() && text_[at_] != ';') {
      is_regular_ = false;
      while (!at_end() && text_[at_] != ';') ++at_;
    }
    out_.parameters.push_back(std::move(parameter));
  }

  std::string read_value() {
    std::string value;
    if (!at_end() && text_[at_] == '"') {
      for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\') {
          is_regular_ = false;
          if (++at_ == text_.size()) break;
        }
        value += text_[at_];
      }
      if (at_end()) is_regular_ = false;
      ++at_;
      at_ = std::min(at_, text_.size());
      return value;
    }
    while (!at_end() && text_[at_] != ';' && !is_white(text_[at_]) && text_[at_] != '(' && text_[at_] != '"') {
      if (text_[at_] == '\\' || text_[at_] == '=') is_regular_ = false;
      value += text_[at_++];
    }
    return value;
  }

  std::string_view text_;
  ParameterField& out_;
  std::size_t at_ = 0;
  bool is_regular_ = true;
};

// Searches a text for keys with "=" behind them, and takes each value to every end that some reader takes it to.
class Search {
 public:
  explicit Search(std::vector<Parameter>& out) : out_(out), first_(out.size()) {}

  void run(std::string_view text, std::string_view key) {
    const std::string lower = text::to_lower(text);
    for (std::size_t at = lower.find(key); at != std::string::npos; at = lower.find(key, at + 1)) {
      if (out_.size() - first_ >= max_found || ++tries_ > max_tries) return;
      if (at > 0 && (text::is_alnum(lower[at - 1]) || lower[at - 1] == '_')) continue;
      take(text, at, key.size());
    }
  }

 private:
  void take(std::string_view text, std::size_t begin, std::size_t size) {
    std::size_t at = begin + size;
    while (at < text.size() && (text[at] == '*' || text::is_digit(text[at]))) ++at;
    Parameter parameter;
    set_key(parameter, text.substr(begin, at - begin));
    parameter.is_found = true;
    while (at < text.size() && (is_white(text[at]) || text[at] == '\\' || text[at] == '(')) {
      text[at] == '(' ? static_cast<void>(skip_comment(text, at)) : static_cast<void>(++at);
    }
    if (at >= text.size() || text[at] != '=') return;
    const std::string_view behind = text.substr(at + 1, max_looked_at);
    std::string_view rest = behind;
    while (!rest.empty() && is_white(rest.front())) rest.remove_prefix(1);
    const auto add = [&](std::string_view value) {
      parameter.value = value;
      keep(parameter);
    };
    // To the semicolon, with and without quotes, escapes and comments.
    const std::string_view to_semicolon = trim(rest.substr(0, rest.find(';')));
    add(without(to_semicolon, "\"\\"));
    add(without(without_comments(to_semicolon), "\"\\"));
    add(to_semicolon);
    // To the first octet that ends a token.
    add(rest.substr(0, rest.find_first_of(" \t\r\n;\"(")));
    // What stands in the first quotes, with the escapes and without them.
    if (const std::size_t quote = rest.find('"'); quote != std::string_view::npos) {
      const std::string_view quoted = rest.substr(quote + 1);
      const std::string_view inside = quoted.substr(0, quoted.find('"'));
      add(inside);
      add(without(inside, "\\"));
      add(std::string(trim(rest.substr(0, quote))));
    }
    // To the end: a semicolon that nobody quoted.
    if (rest.find(';') != std::string_view::npos && rest.find('=', rest.find(';')) == std::string_view::npos) {
      add(without(trim(rest), "\"\\"));
      add(trim(rest));
    }
    // White space in front of the value may be a part of it.
    if (rest.size() != behind.size() && rest.size() + 2 > behind.size())
      add(std::string(1, behind.front()) + std::string(to_semicolon));
  }

  void keep(const Parameter& parameter) {
    if (parameter.value.empty() || out_.size() - first_ >= max_found) return;
    const bool is_known = std::any_of(out_.begin(), out_.end(), [&parameter](const Parameter& one) {
      return one.key == parameter.key && one.section == parameter.section && one.is_extended == parameter.is_extended &&
             one.value == parameter.value;
    });
    if (!is_known) out_.push_back(parameter);
  }

  std::vector<Parameter>& out_;
  std::size_t first_;
  std::size_t tries_ = 0;
};

// %XX undone; an escape that is none stays.
std::string undo_percent(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (const auto octet = text::from_hex(text.substr(i + 1, 2)); octet && octet->size() == 1) {
        octets += *octet;
        i += 2;
        continue;
      }
    }
    octets += text[i];
  }
  return octets;
}

// Octets in the charset; without one, or in one that is not known, as UTF-8 or else as windows-1252.
std::string to_text(const std::string& octets, std::string_view charset) {
  if (!charset.empty() && !text::equals_ignoring_case(charset, "utf-8")) {
    // UTF-16 without a mark is little-endian where people write names.
    const bool is_utf16 = text::equals_ignoring_case(charset, "utf-16") && !octets.starts_with("\xfe\xff") &&
                          !octets.starts_with("\xff\xfe");
    if (auto converted = to_utf8(octets, is_utf16 ? "UTF-16LE" : charset, 4 * octets.size() + 16))
      return converted->utf8;
  }
  if (text::is_ascii(octets) || text::is_utf8(octets)) return octets;
  auto converted = to_utf8(octets, "windows-1252", 4 * octets.size() + 16);
  return converted ? converted->utf8 : octets;
}

// Encoded words labelled as some readers take them: UTF-16 without a mark for little-endian, a charset that nobody
// knows for UTF-8.
std::string with_other_labels(std::string_view words) {
  std::string other;
  while (true) {
    const std::size_t begin = std::min(words.find("=?"), words.size());
    const std::size_t label = std::min(begin + 2, words.size());
    other += words.substr(0, label);
    words.remove_prefix(label);
    if (words.empty()) return other;
    const std::string_view written = words.substr(0, std::min(words.find('?'), words.size()));
    const std::string_view charset = written.substr(0, written.find('*'));
    if (text::equals_ignoring_case(charset, "utf-16")) {
      other += "utf-16le";
    } else {
      other += is_known_charset(charset) ? charset : "utf-8";
    }
    words.remove_prefix(charset.size());
    if (words.size() < 2) return other.append(words);
    // "?Q?text?=", in which there may be "=?".
    const std::size_t coding = std::min(words.find('?'), words.size() - 1) + 1;
    const std::size_t text = std::min(words.find('?', coding), words.size() - 1) + 1;
    const std::size_t end = std::min(words.find("?=", text), words.size() - 2) + 2;
    other += words.substr(0, end);
    words.remove_prefix(end);
  }
}

// charset'language'text; the language may have hyphens. Without both apostrophes all of it is text.
struct Extended {
  std::string_view charset;
  std::string_view text;
};
Extended split_extended(std::string_view value) {
  const std::size_t first = value.find('\'');
  const std::size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return {{}, value};
  return {value.substr(0, first), value.substr(second + 1)};
}

class Values {
 public:
  explicit Values(Oddities& oddities) : oddities_(oddities) {}

  void add(std::string value) {
    if (value.size() > max_name_octets)
      value.erase(max_name_octets - kept_of_end, value.size() - max_name_octets);  // its middle
    if (std::find(all_.begin(), all_.end(), value) == all_.end()) all_.push_back(std::move(value));
  }
  void add_plain(const std::string& value) {
    if (value.find("=?") != std::string::npos) {
      oddities_.add(Oddity::encoded_parameter);
      add(mail::decode_words(value));
      if (const std::string other = with_other_labels(value); other != value) add(mail::decode_words(other));
      return;
    }
    if (!text::is_ascii(value)) oddities_.add(Oddity::eight_bit_header);
    add(to_text(value, {}));
  }
  void add_extended(std::string_view value) {
    const Extended extended = split_extended(value);
    add(to_text(undo_percent(extended.text), extended.charset));
    if (extended.text.find("=?") != std::string_view::npos) add_plain(std::string(extended.text));
  }
  // Pieces in the order given. `all_extended`: as if each had the mark of extended ones.
  void add_pieces(const std::vector<const Parameter*>& pieces, bool all_extended) {
    std::string octets;
    std::string_view charset;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      std::string_view value = pieces[i]->value;
      if (!all_extended && !pieces[i]->is_extended) {
        octets += value;
        continue;
      }
      // Only the first piece has a charset; some writers put it elsewhere.
      const Extended extended = split_extended(value);
      if (extended.text.size() != value.size() && charset.empty()) charset = extended.charset;
      octets += undo_percent(extended.text);
    }
    if (octets.find("=?") != std::string::npos) return add_plain(octets);
    add(to_text(octets, charset));
  }

  std::vector<std::string> take() { return std::move(all_); }

 private:
  Oddities& oddities_;
  std::vector<std::string> all_;
};

void add_sections(const std::vector<const Parameter*>& pieces, Values& values, Oddities& oddities) {
  std::vector<const Parameter*> by_number = pieces;
  std::stable_sort(by_number.begin(), by_number.end(),
                   [](const Parameter* a, const Parameter* b) { return *a->section < *b->section; });
  std::vector<const Parameter*> firsts;
  std::vector<const Parameter*> lasts;
  for (const Parameter* piece : by_number) {
    if (!firsts.empty() && firsts.back()->section == piece->section) {
      lasts.back() = piece;
    } else {
      firsts.push_back(piece);
      lasts.push_back(piece);
    }
  }
  const bool is_whole =
      firsts.size() == pieces.size() && *firsts.front()->section == 0 && *firsts.back()->section + 1 == firsts.size();
  if (!is_whole || by_number != pieces) oddities.add(Oddity::odd_continuation);
  const bool has_escapes = std::any_of(pieces.begin(), pieces.end(), [](const Parameter* piece) {
    return !piece->is_extended && piece->value.find_first_of("%'") != std::string::npos;
  });
  values.add_pieces(firsts, false);
  if (firsts != lasts) values.add_pieces(lasts, false);
  if (by_number != pieces) values.add_pieces(pieces, false);
  if (!has_escapes) return;
  values.add_pieces(firsts, true);
  if (firsts != lasts) values.add_pieces(lasts, true);
  if (by_number != pieces) values.add_pieces(pieces, true);
}

}  // namespace

std::string without_comments(std::string_view text) {
  std::string rest;
  bool is_quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      rest += text.substr(at, 2);
      at += 2;
      continue;
    }
    if (text[at] == '"') is_quoted = !is_quoted;
    if (text[at] == '(' && !is_quoted) {
      skip_comment(text, at);
      continue;
    }
    rest += text[at++];
  }
  return rest;
}

ParameterField read_parameters(std::string_view field, std::span<const std::string_view> keys) {
  ParameterField read;
  const std::string text = mail::unfold(field);
  GrammarReader grammar(text, read);
  grammar.run();
  if (grammar.is_regular()) return read;
  read.oddities.add(Oddity::malformed_field);
  Search search(read.parameters);
  const std::string without_escapes = without(text, "\\");
  const std::string uncommented = without_comments(text);
  for (std::string_view key : keys) {
    search.run(text, key);
    if (without_escapes.size() != text.size()) search.run(without_escapes, key);
    if (uncommented.size() != text.size()) search.run(uncommented, key);
  }
  return read;
}

std::vector<std::string> values_of(const std::vector<Parameter>& parameters, std::string_view key, Oddities& oddities) {
  Values values(oddities);
  std::vector<const Parameter*> plain;
  std::vector<const Parameter*> extended;
  std::vector<const Parameter*> pieces;
  for (const Parameter& one : parameters) {
    if (one.key != key) continue;
    if (one.section) {
      if (pieces.size() < max_sections) pieces.push_back(&one);
    } else {
      (one.is_extended ? extended : plain).push_back(&one);
    }
  }
  const auto is_by_grammar = [](const Parameter* one) { return !one->is_found; };
  if (std::count_if(plain.begin(), plain.end(), is_by_grammar) > 1) oddities.add(Oddity::duplicate_parameter);
  // RFC 2231 wins for readers that know it; what has no such form is the plain value.
  for (const Parameter* one : extended) values.add_extended(one->value);
  std::vector<const Parameter*> proper;
  std::copy_if(pieces.begin(), pieces.end(), std::back_inserter(proper), is_by_grammar);
  if (!proper.empty()) add_sections(proper, values, oddities);
  for (const Parameter* one : plain) values.add_plain(one->value);
  if (proper.size() != pieces.size()) add_sections(pieces, values, oddities);
  return values.take();
}

}  // namespace sallyport::mime
