#include "lua/engine/source_check.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lua/engine/bindings.h"
#include "lua/engine/lua_tokens.h"

namespace sallyport::lua {

namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

// A stretch of tokens: [first, end).
struct Range {
  std::size_t first = 0;
  std::size_t end = 0;
};

class SourceCheck {
 public:
  SourceCheck(const std::string& file, std::string_view source, const KnownNames& checks, const KnownNames& upstreams)
      : file_(file), tokens_(tokens_of(source)), checks_(checks), upstreams_(upstreams) {}

  std::vector<LoadError> run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_.at(i).kind == Token::Kind::name && !tokens_.is_member(i)) check_name(i);
    }
    for (const Range& body : rule_functions_) check_transaction(body);
    std::stable_sort(errors_.begin(), errors_.end(), [](const LoadError& a, const LoadError& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(errors_);
  }

 private:
  using Alias =
      std::pair<std::string_view, std::string>;  // a name of the file, and the path of the library it stands for

  void fail(const Token& at, std::string message) {
    errors_.push_back({file_, at.line, at.column, std::move(message)});
  }

  const Alias* find_alias(std::string_view name) const {
    const auto found =
        std::find_if(aliases_.rbegin(), aliases_.rend(), [&](const Alias& a) { return a.first == name; });
    return found == aliases_.rend() ? nullptr : &*found;
  }

  // A name that is not a member of anything begins at `i`.
  void check_name(std::size_t i) {
    const std::size_t equals = tokens_.at(i + 1).is("<") ? i + 4 : i + 1;  // past <const>
    if (const std::size_t after = tokens_.skip_require(i); after != i) {
      walk_library(after, "sp");
    } else if (tokens_.at(equals).is("=") && !tokens_.at(equals + 1).is("=") && add_alias(i, equals + 1)) {
      return;
    } else if (const Alias* alias = find_alias(tokens_.at(i).text)) {
      walk_library(i + 1, alias->second);
    }
  }

  // For "name = value": when the value is the module or a library in it, the name is an alias from now on.
  bool add_alias(std::size_t name, std::size_t value) {
    std::string path;
    std::size_t after = tokens_.skip_require(value);
    if (after != value) {
      path = "sp";
    } else if (const Alias* alias = find_alias(tokens_.at(value).text); alias && !tokens_.is_member(value)) {
      path = alias->second;
      after = value + 1;
    } else {
      return false;
    }
    while (tokens_.at(after).is(".") && is_library(path + "." + std::string(tokens_.at(after + 1).text))) {
      path += "." + std::string(tokens_.at(after + 1).text);
      after += 2;
    }
    if (tokens_.at(after).is(".") || tokens_.at(after).is(":") || tokens_.at(after).is("(")) return false;
    aliases_.emplace_back(tokens_.at(name).text, std::move(path));
    return true;
  }

  static bool is_library(std::string_view path) {
    const auto all = libraries();
    return std::any_of(all.begin(), all.end(), [path](const Library* library) {
      return library->path == path ||
             (library->path.starts_with(path) && library->path.substr(path.size()).starts_with('.'));
    });
  }

  // Follows ".dns.a" from the library at `path`; `i` is the token after its name.
  void walk_library(std::size_t i, std::string path) {
    while (tokens_.at(i).is(".") && tokens_.at(i + 1).kind == Token::Kind::name) {
      const Token& member = tokens_.at(i + 1);
      if (!has(names_below(path), member.text)) return fail(member, complaint_about(path, member.text));
      path += "." + std::string(member.text);
      i += 2;
      if (path == "sp.accept") return check_accept(i);
      if (path == "sp.override") return check_option(i, "check", checks_);
      if (path == "sp.redirect") return check_option(i, "upstream", upstreams_);
      if (path == "sp.rule") return find_rule_function(i);
      if (!is_library(path)) return;
    }
  }

  std::size_t past_parenthesis(std::size_t i) const { return tokens_.at(i).is("(") ? i + 1 : i; }

  // After `accept`: the constants in { skip = { "dnsbl", "rate" } }.
  void check_accept(std::size_t i) {
    i = past_parenthesis(i);
    if (!tokens_.at(i).is("{") || !tokens_.at(i + 1).is_name("skip") || !tokens_.at(i + 2).is("=") ||
        !tokens_.at(i + 3).is("{"))
      return;
    for (i += 4; i < tokens_.size() && !tokens_.at(i).is("}"); ++i) {
      const Token& token = tokens_.at(i);
      const Token& next = tokens_.at(i + 1);
      const Token& before = tokens_.at(i - 1);
      // Not a part of an expression.
      const bool is_whole =
          (before.is("{") || before.is(",") || before.is(";")) && (next.is(",") || next.is(";") || next.is("}"));
      if (token.kind == Token::Kind::string && is_whole && !checks_.has(token.text))
        fail(token, "skip: " + checks_.complaint_about(token.text));
    }
  }

  // After `redirect`: the constant in { upstream = "archive" }.
  void check_option(std::size_t i, std::string_view option, const KnownNames& names) {
    i = past_parenthesis(i);
    if (!tokens_.at(i).is("{")) return;
    for (; i < tokens_.size() && !tokens_.at(i).is("}"); ++i) {
      const Token& before = tokens_.at(i);
      if (!before.is("{") && !before.is(",") && !before.is(";")) continue;
      const Token& value = tokens_.at(i + 3);
      const Token& next = tokens_.at(i + 4);
      const bool is_whole = next.is(",") || next.is(";") || next.is("}");
      if (!tokens_.at(i + 1).is_name(option) || !tokens_.at(i + 2).is("=") || !is_whole) continue;
      if (value.kind == Token::Kind::string && !names.has(value.text))
        fail(value, std::string(option) + ": " + names.complaint_about(value.text));
    }
  }

  // After `rule`: the function of { run = function(tx) ... end } or { run = name }.
  void find_rule_function(std::size_t i) {
    i = past_parenthesis(i);
    if (!tokens_.at(i).is("{")) return;
    int depth = 0;
    for (; i < tokens_.size(); ++i) {
      const Token& token = tokens_.at(i);
      if (token.is("{") || token.is_name("function")) ++depth;
      if (token.is_name("if") || token.is_name("do") || token.is_name("repeat")) ++depth;
      if (token.is("}") || token.is_name("end") || token.is_name("until")) --depth;
      if (depth <= 0) return;
      if (depth != 1 || !token.is_name("run") || !tokens_.at(i + 1).is("=")) continue;
      if (tokens_.at(i + 2).is_name("function")) {
        rule_functions_.push_back(function_at(i + 2));
      } else if (tokens_.at(i + 2).kind == Token::Kind::name) {
        find_named_function(tokens_.at(i + 2).text);
      }
    }
  }

  // "function name(" or "name = function(", wherever in the file.
  void find_named_function(std::string_view name) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!tokens_.at(i).is_name(name) || tokens_.is_member(i)) continue;
      if (i > 0 && tokens_.at(i - 1).is_name("function")) {
        rule_functions_.push_back(function_at(i - 1));
      } else if (tokens_.at(i + 1).is("=") && tokens_.at(i + 2).is_name("function")) {
        rule_functions_.push_back(function_at(i + 2));
      }
    }
  }

  // From the parameters of the function, whose keyword is at `i`, to its end.
  Range function_at(std::size_t i) const {
    Range range{i + 1, tokens_.size()};
    while (range.first < tokens_.size() && !tokens_.at(range.first).is("(")) ++range.first;
    int depth = 1;
    for (std::size_t at = range.first; at < tokens_.size(); ++at) {
      const Token& token = tokens_.at(at);
      if (token.is_name("function") || token.is_name("if") || token.is_name("do") || token.is_name("repeat")) ++depth;
      if (token.is_name("end") || token.is_name("until")) --depth;
      if (depth > 0) continue;
      range.end = at;
      break;
    }
    return range;
  }

  void check_transaction(const Range& function) {
    const Token& parameter = tokens_.at(function.first + 1);
    if (parameter.kind != Token::Kind::name) return;
    std::vector<std::size_t> uses;
    for (std::size_t i = function.first + 2; i < function.end; ++i) {
      if (!tokens_.at(i).is_name(parameter.text) || tokens_.is_member(i)) continue;
      if (is_declared_again(i)) return;
      uses.push_back(i);
    }
    for (const std::size_t use : uses) walk_object(use + 1);
  }

  // The name at `i` is that of a new variable, or may get another value.
  bool is_declared_again(std::size_t i) const {
    if (tokens_.at(i - 1).is("{")) return false;  // the key of a table
    if (tokens_.at(i + 1).is("=") && !tokens_.at(i + 2).is("=")) return true;
    std::size_t at = i;  // back over "a, b, tx"
    while (at > 1 && tokens_.at(at - 1).is(",") && tokens_.at(at - 2).kind == Token::Kind::name) at -= 2;
    const Token& before = tokens_.at(at - 1);
    if (before.is_name("local") || before.is_name("for")) return true;
    if (!before.is("(") || at < 2) return false;
    return tokens_.at(at - 2).is_name("function") || (at > 2 && tokens_.at(at - 3).is_name("function"));
  }

  // Follows ".client.ip" or ".msg:header" from tx; `i` is the token after it.
  void walk_object(std::size_t i) {
    const ObjectType* type = find_object_type("tx");
    while (type && (tokens_.at(i).is(".") || tokens_.at(i).is(":")) && tokens_.at(i + 1).kind == Token::Kind::name) {
      const Token& member = tokens_.at(i + 1);
      if (!has(names_below(type->name), member.text)) return fail(member, complaint_about(type->name, member.text));
      const auto field = std::find_if(type->fields.begin(), type->fields.end(),
                                      [&](const Field& one) { return one.name == member.text; });
      type = field == type->fields.end() ? nullptr : find_object_type(field->type);
      i += 2;
    }
  }

  const std::string& file_;
  const Tokens tokens_;
  const KnownNames& checks_;
  const KnownNames& upstreams_;
  std::vector<Alias> aliases_;
  std::vector<Range> rule_functions_;
  std::vector<LoadError> errors_;
};

}  // namespace

std::vector<LoadError> check_source(const std::string& file, std::string_view source, const KnownNames& checks,
                                    const KnownNames& upstreams) {
  return SourceCheck(file, source, checks, upstreams).run();
}

}  // namespace sallyport::lua
