#include "lua/engine/lua_tokens.h"

#include "gateway/base/text.h"

namespace sallyport::lua {

namespace {

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

}  // namespace

std::vector<Token> tokens_of(std::string_view source) { return Lexer(source).all(); }

}  // namespace sallyport::lua
