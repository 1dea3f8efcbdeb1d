#include "lua/engine/source_check.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "lua/engine/sp_library.h"

namespace sallyport::lua {

namespace {

struct Token {
  enum class Kind { name, string, symbol, end } kind = Kind::end;
  std::string_view text;  // of a string: without its quotes, escapes as written
  int line = 1;
  int column = 1;

  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

// Splits Lua's text into tokens as far as needed here: every octet outside names, strings and comments is a symbol of
// its own.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (true) {
      tokens.push_back(next());
      if (tokens.back().kind == Token::Kind::end) return tokens;
    }
  }

 private:
  Token next() {
    skip_blanks_and_comments();
    Token token;
    token.line = line_;
    token.column = static_cast<int>(at_ - line_start_) + 1;
    if (at_ >= source_.size()) return token;
    const char c = source_[at_];
    if (c == '"' || c == '\'') {
      token.kind = Token::Kind::string;
      token.text = quoted(c);
    } else if (const std::size_t level = long_bracket(); level > 0) {
      token.kind = Token::Kind::string;
      token.text = long_text(level);
    } else if (is_word(c)) {
      const std::size_t start = at_;
      while (at_ < source_.size() && is_word(source_[at_])) ++at_;
      token.kind = text::is_digit(c) ? Token::Kind::symbol : Token::Kind::name;
      token.text = source_.substr(start, at_ - start);
    } else {
      token.kind = Token::Kind::symbol;
      token.text = source_.substr(at_, 1);
      ++at_;
    }
    return token;
  }

  static bool is_word(char c) { return text::is_alnum(c) || c == '_'; }

  void advance() {
    if (source_[at_++] == '\n') {
      ++line_;
      line_start_ = at_;
    }
  }

  void skip_blanks_and_comments() {
    while (at_ < source_.size()) {
      if (source_.substr(at_, 2) == "--") {
        at_ += 2;
        if (const std::size_t level = long_bracket(); level > 0) {
          long_text(level);
        } else {
          while (at_ < source_.size() && source_[at_] != '\n') ++at_;
        }
      } else if (text::is_space(source_[at_]) || text::is_control(source_[at_])) {
        advance();
      } else {
        return;
      }
    }
  }

  std::string_view quoted(char quote) {
    const std::size_t start = ++at_;
    while (at_ < source_.size() && source_[at_] != quote && source_[at_] != '\n') {
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) advance();
      advance();
    }
    const std::string_view inside = source_.substr(start, at_ - start);
    if (at_ < source_.size() && source_[at_] == quote) ++at_;
    return inside;
  }

  // The length of an opening long bracket here ([[, [=[ ...), or 0.
  std::size_t long_bracket() const {
    if (at_ >= source_.size() || source_[at_] != '[') return 0;
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] == '=') ++end;
    return end < source_.size() && source_[end] == '[' ? end + 1 - at_ : 0;
  }

  std::string_view long_text(std::size_t bracket) {
    const std::string closing = "]" + std::string(bracket - 2, '=') + "]";
    at_ += bracket;
    const std::size_t start = at_;
    const std::size_t end = std::min(source_.find(closing, at_), source_.size());
    while (at_ < end) advance();
    at_ = std::min(end + closing.size(), source_.size());
    return source_.substr(start, end - start);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
};

// Access to the tokens by index without bounds: past the end every token is an end token.
class Tokens {
 public:
  explicit Tokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  std::size_t size() const { return tokens_.size(); }
  const Token& at(std::size_t i) const { return tokens_[std::min(i, tokens_.size() - 1)]; }

  // True when the token follows a dot or a colon, so that it names a member; false after "..", which joins strings.
  bool is_member(std::size_t i) const {
    if (i == 0 || at(i - 1).is(":")) return i > 0;
    return at(i - 1).is(".") && !(i > 1 && at(i - 2).is("."));
  }

  // When `require "sallyport"`, with or without parentheses, begins at `i`, returns the index after it; else `i`.
  std::size_t skip_require(std::size_t i) const {
    if (!at(i).is_name("require")) return i;
    const bool parentheses = at(i + 1).is("(");
    const Token& module = at(parentheses ? i + 2 : i + 1);
    if (module.kind != Token::Kind::string || module.text != "sallyport") return i;
    return parentheses ? i + 4 : i + 2;
  }

 private:
  std::vector<Token> tokens_;
};

std::string complaint(std::string_view name) {
  const std::string full = "sp." + std::string(name);
  if (is_planned_sp_name(name)) return full + " is not available in this version";
  const std::string_view near = text::did_you_mean(name, sp_names());
  return full + " does not exist" + (near.empty() ? "" : "; did you mean sp." + std::string(near) + "?");
}

}  // namespace

std::vector<LoadError> check_source(const std::string& file, std::string_view source) {
  const Tokens tokens(Lexer(source).all());
  std::vector<std::string_view> aliases;
  std::vector<LoadError> errors;
  const auto check_member = [&](std::size_t dot) {
    const Token& member = tokens.at(dot + 1);
    if (!tokens.at(dot).is(".") || member.kind != Token::Kind::name) return;
    const std::vector<std::string>& known = sp_names();
    if (std::find(known.begin(), known.end(), member.text) != known.end()) return;
    errors.push_back({file, member.line, member.column, complaint(member.text)});
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens.at(i);
    if (token.kind != Token::Kind::name) continue;
    if (tokens.is_member(i)) continue;
    const std::size_t equals = tokens.at(i + 1).is("<") ? i + 4 : i + 1;  // past <const>
    if (const std::size_t after = tokens.skip_require(i); after != i) {
      check_member(after);
    } else if (tokens.at(equals).is("=") && tokens.skip_require(equals + 1) != equals + 1) {
      aliases.push_back(token.text);
    } else if (std::find(aliases.begin(), aliases.end(), token.text) != aliases.end()) {
      check_member(i + 1);
    }
  }
  return errors;
}

}  // namespace sallyport::lua
