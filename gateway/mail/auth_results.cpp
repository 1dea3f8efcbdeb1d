#include "gateway/mail/auth_results.h"

#include <algorithm>
#include <array>

#include "gateway/base/a_labels.h"
#include "gateway/base/text.h"
#include "gateway/mail/quoted_string.h"

namespace sallyport::mail {

namespace {

// All visible octets, and non-ASCII ones (RFC 6532), except for those in `without`.
constexpr std::array<bool, 256> visible_octets(std::string_view without) {
  std::array<bool, 256> table{};
  for (unsigned octet = 0x21; octet < table.size(); ++octet) table[octet] = octet != 0x7f;
  for (char c : without) table[static_cast<unsigned char>(c)] = false;
  return table;
}

// RFC 2045, 5.1.
constexpr auto token_octets = visible_octets("()<>@,;:\\\"/[]?=");
// What we accept in an unquoted value: addresses, base64, IPv6 addresses.
constexpr auto value_octets = visible_octets("();\"\\");

bool is_token_octet(char c) { return token_octets[static_cast<unsigned char>(c)]; }
bool is_value_octet(char c) { return value_octets[static_cast<unsigned char>(c)]; }

// Names of methods, results and properties.
bool is_keyword_octet(char c) { return text::is_alnum(c) || c == '-' || c == '_'; }

// Reads a field's value from left to right, one token at a time.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }

  // Skips white space and comments; false when a comment has no end.
  bool skip_cfws() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (text::is_space(c) || c == '\r' || c == '\n') {
        ++at_;
      } else if (c != '(') {
        return true;
      } else if (!skip_comment()) {
        return false;
      }
    }
    return true;
  }

  template <class Predicate>
  std::string_view take_while(Predicate belongs) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // The content of a quoted string, without the quotes; nothing if it has no end. A CRLF inside is dropped, the white
  // space after it stays.
  std::optional<std::string> take_quoted() {
    if (!take('"')) return std::nullopt;
    std::string content;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return content;
      if (c == '\\' && at_ < text_.size()) c = text_[at_++];
      if (c == '\r' || c == '\n') continue;
      content += c;
    }
    return std::nullopt;
  }

 private:
  bool skip_comment() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        ++at_;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The authserv-id, and skips the version after it; ";" or the end must follow. Nothing otherwise.
std::optional<std::string> take_authserv_id(Scanner& scanner) {
  if (!scanner.skip_cfws()) return std::nullopt;
  std::string id;
  if (scanner.next_is('"')) {
    auto quoted = scanner.take_quoted();
    if (!quoted) return std::nullopt;
    id = std::move(*quoted);
  } else {
    id = scanner.take_while(is_token_octet);
  }
  // One token or one quoted string: readers disagree about several in a row.
  if (scanner.next_is('"')) return std::nullopt;
  if (!scanner.skip_cfws()) return std::nullopt;
  scanner.take_while(text::is_digit);
  if (!scanner.skip_cfws() || (!scanner.at_end() && !scanner.next_is(';'))) return std::nullopt;
  return id;
}

// A value of words and quoted strings in a row, as in "a b"@example.org.
std::optional<std::string> take_value(Scanner& scanner) {
  if (!scanner.skip_cfws()) return std::nullopt;
  std::string value;
  while (true) {
    if (scanner.next_is('"')) {
      const auto quoted = scanner.take_quoted();
      if (!quoted) return std::nullopt;
      value += *quoted;
      continue;
    }
    const std::string_view word = scanner.take_while(is_value_octet);
    if (word.empty()) return value;
    value += word;
  }
}

bool take_around(Scanner& scanner, char c) { return scanner.skip_cfws() && scanner.take(c) && scanner.skip_cfws(); }

// Reads a property, "header.d=example.org", or "reason=...", which is not a property.
bool take_property(Scanner& scanner, AuthMethod& method) {
  AuthProperty property;
  property.name = text::to_lower(scanner.take_while(is_keyword_octet));
  if (property.name.empty() || !scanner.skip_cfws()) return false;
  if (scanner.take('.')) {
    if (!scanner.skip_cfws()) return false;
    property.type = std::move(property.name);
    property.name = text::to_lower(scanner.take_while(is_keyword_octet));
    if (property.name.empty()) return false;
  }
  if (!take_around(scanner, '=')) return false;
  auto value = take_value(scanner);
  if (!value) return false;
  if (property.type.empty() && property.name == "reason") {
    method.reason = std::move(*value);
    return true;
  }
  property.value = std::move(*value);
  if (method.properties.size() < max_auth_properties) method.properties.push_back(std::move(property));
  return true;
}

// Reads one method: "dkim/1=pass (comment) reason=x header.d=example.org".
bool take_method(Scanner& scanner, AuthMethod& method) {
  method.method = text::to_lower(scanner.take_while(is_keyword_octet));
  if (method.method.empty() || !scanner.skip_cfws()) return false;
  if (scanner.take('/')) {
    if (!scanner.skip_cfws() || scanner.take_while(text::is_digit).empty()) return false;
  }
  if (!take_around(scanner, '=')) return false;
  method.result = text::to_lower(scanner.take_while(is_keyword_octet));
  if (method.result.empty()) return false;
  while (true) {
    if (!scanner.skip_cfws()) return false;
    if (scanner.at_end() || scanner.next_is(';')) return true;
    if (!take_property(scanner, method)) return false;
  }
}

bool is_none(Scanner scanner) {
  const bool word = text::equals_ignoring_case(scanner.take_while(is_keyword_octet), "none");
  return word && scanner.skip_cfws() && (scanner.at_end() || scanner.next_is(';'));
}

// -- writing

constexpr std::size_t max_column = 78;
constexpr std::size_t max_value_octets = 400;
constexpr std::size_t usual_octets = 512;

// A token, or a token on each side of one @.
bool needs_no_quotes(std::string_view value) {
  if (value.empty() || std::count(value.begin(), value.end(), '@') > 1) return false;
  return std::all_of(value.begin(), value.end(), [](char c) { return is_token_octet(c) || c == '@'; });
}

void append_value(std::string& out, std::string_view value) {
  const std::string filtered = text::printable(value, max_value_octets);
  if (needs_no_quotes(filtered)) {
    out += filtered;
  } else {
    append_quoted(out, filtered);
  }
}

// An authserv-id must be quoted unless it is a token.
void append_id(std::string& out, std::string_view id) {
  const std::string filtered = text::printable(id, max_value_octets);
  if (!filtered.empty() && std::all_of(filtered.begin(), filtered.end(), is_token_octet)) {
    out += filtered;
  } else {
    append_quoted(out, filtered);
  }
}

void append_keyword(std::string& out, std::string_view word) {
  for (char c : word.substr(0, max_value_octets)) out += is_keyword_octet(c) ? c : '-';
}

void append_comment(std::string& out, std::string_view comment) {
  out += '(';
  for (char c : text::printable(comment, max_value_octets)) out += c == '(' || c == ')' || c == '\\' ? '-' : c;
  out += ')';
}

// Appends words with a space or, where they would make the line too long, a fold between them.
class Folder {
 public:
  explicit Folder(std::string& out, std::size_t column) : out_(out), column_(column) {}

  void add(std::string_view word) {
    if (column_ + 1 + word.size() > max_column) return add_on_new_line(word);
    out_ += ' ';
    out_ += word;
    column_ += 1 + word.size();
  }
  void add_on_new_line(std::string_view word) {
    out_ += "\r\n ";
    out_ += word;
    column_ = 1 + word.size();
  }

 private:
  std::string& out_;
  std::size_t column_;
};

}  // namespace

std::optional<std::string_view> AuthMethod::value(std::string_view type, std::string_view name) const {
  for (const AuthProperty& property : properties) {
    if (property.type == type && property.name == name) return property.value;
  }
  return std::nullopt;
}

namespace {

// `wanted` may be empty: then every method is.
std::optional<AuthResults> parse(std::string_view value, std::span<const std::string_view> wanted) {
  Scanner scanner(value);
  AuthResults results;
  auto id = take_authserv_id(scanner);
  if (!id) return std::nullopt;
  results.authserv_id = std::move(*id);
  if (results.authserv_id.empty() && !scanner.at_end()) return std::nullopt;
  while (scanner.take(';')) {
    if (!scanner.skip_cfws()) return std::nullopt;
    if (scanner.at_end()) break;
    if (results.methods.empty() && is_none(scanner)) {
      scanner.take_while(is_keyword_octet);
      if (!scanner.skip_cfws()) return std::nullopt;
      continue;
    }
    AuthMethod method;
    if (!take_method(scanner, method)) return std::nullopt;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), method.method) == wanted.end()) continue;
    if (results.methods.size() < max_auth_methods) {
      results.methods.push_back(std::move(method));
    } else if (wanted.empty()) {
      return std::nullopt;
    }
  }
  return results;
}

}  // namespace

std::optional<AuthResults> parse_auth_results(std::string_view value) { return parse(value, {}); }

std::optional<AuthResults> parse_auth_results(std::string_view value, std::span<const std::string_view> methods) {
  return parse(value, methods);
}

AuthservOwner owner_of_auth_results(std::string_view value, const std::vector<std::string>& our_ids) {
  Scanner scanner(value);
  const auto id = take_authserv_id(scanner);
  if (!id || id->empty()) return AuthservOwner::unreadable;
  const std::string_view name = text::trim(*id);
  const auto a_labels = to_a_labels(name);
  for (const std::string& ours : our_ids) {
    if (text::equals_ignoring_case(name, ours) || (a_labels && a_labels == to_a_labels(ours)))
      return AuthservOwner::ours;
  }
  return AuthservOwner::other;
}

std::string auth_results_value(const AuthResults& results) {
  std::string out;
  out.reserve(usual_octets);
  out += ' ';
  append_id(out, results.authserv_id);
  if (results.methods.empty()) return out + "; none";
  Folder folder(out, 0);
  std::string word;  // reused, so that it allocates only once
  for (const AuthMethod& method : results.methods) {
    out += ';';
    word.clear();
    append_keyword(word, method.method);
    word += '=';
    append_keyword(word, method.result);
    folder.add_on_new_line(word);
    if (!method.comment.empty()) {
      word.clear();
      append_comment(word, method.comment);
      folder.add(word);
    }
    if (!method.reason.empty()) {
      word = "reason=";
      append_quoted(word, text::printable(method.reason, max_value_octets));
      folder.add(word);
    }
    for (const AuthProperty& property : method.properties) {
      word.clear();
      if (!property.type.empty()) {
        append_keyword(word, property.type);
        word += '.';
      }
      append_keyword(word, property.name);
      word += '=';
      append_value(word, property.value);
      folder.add(word);
    }
  }
  return out;
}

std::string make_auth_results(const AuthResults& results) {
  return "Authentication-Results:" + auth_results_value(results) + "\r\n";
}

}  // namespace sallyport::mail
