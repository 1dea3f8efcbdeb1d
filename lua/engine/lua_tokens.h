// The tokens of a rule file's text, as far as source_check needs Lua's syntax: every octet outside names, strings and
// comments is a symbol of its own. Works on any text; what is not Lua gives tokens that mean nothing.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::lua {

struct Token {
  enum class Kind { name, string, symbol, end } kind = Kind::end;
  std::string_view text;  // of a string: without its quotes, escapes as written
  int line = 1;
  int column = 1;

  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

// The tokens of `source`, which must outlive them; the last one is an end token.
std::vector<Token> tokens_of(std::string_view source);

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

}  // namespace sallyport::lua
