#include "lua/engine/json_reader.h"

#include <charconv>
#include <cmath>
#include <string>

#include "gateway/base/text.h"
#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

constexpr int slots_per_level = 4;

void append_utf8(std::string& out, char32_t character) {
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xc0 | (character >> 6));
    out += static_cast<char>(0x80 | (character & 0x3f));
  } else if (character < 0x10000) {
    out += static_cast<char>(0xe0 | (character >> 12));
    out += static_cast<char>(0x80 | ((character >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (character & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (character >> 18));
    out += static_cast<char>(0x80 | ((character >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((character >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (character & 0x3f));
  }
}

bool is_high_surrogate(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

class Reader {
 public:
  Reader(lua_State* L, std::string_view json) : L_(L), rest_(json) {}

  // Each function pushes one value, or sets problem_ and gives false; then the stack is the caller's to restore.
  bool whole() {
    if (!value(1)) return false;
    skip_space();
    return rest_.empty() || fail("something behind the value");
  }
  const char* problem() const { return problem_; }

 private:
  bool fail(const char* problem) {
    if (!problem_) problem_ = problem;
    return false;
  }

  void skip_space() {
    const std::size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool value(int depth) {
    Context::of(L_).meter.spend(L_, 4);
    if (depth > most_json_depth) return fail("nested too deeply");
    luaL_checkstack(L_, slots_per_level, nullptr);
    skip_space();
    if (take('{')) return object(depth);
    if (take('[')) return list(depth);
    if (take('"')) return string();
    if (take("true")) return boolean(true);
    if (take("false")) return boolean(false);
    if (take("null")) {
      lua_pushnil(L_);
      return true;
    }
    return number();
  }

  bool boolean(bool yes) {
    lua_pushboolean(L_, yes);
    return true;
  }

  bool object(int depth) {
    lua_newtable(L_);
    skip_space();
    if (take('}')) return true;
    while (true) {
      skip_space();
      if (!take('"') || !string()) return fail("expected the name of a member");
      skip_space();
      if (!take(':')) return fail("expected a colon");
      if (!value(depth + 1)) return false;
      lua_rawset(L_, -3);
      skip_space();
      if (take('}')) return true;
      if (!take(',')) return fail("expected a comma or the end of the object");
    }
  }

  bool list(int depth) {
    lua_newtable(L_);
    skip_space();
    if (take(']')) return true;
    for (lua_Integer index = 1;; ++index) {
      if (!value(depth + 1)) return false;
      if (lua_isnil(L_, -1)) {
        lua_pop(L_, 1);
        lua_pushboolean(L_, 0);
      }
      lua_rawseti(L_, -2, index);
      skip_space();
      if (take(']')) return true;
      if (!take(',')) return fail("expected a comma or the end of the list");
    }
  }

  // After the quote.
  bool string() {
    std::string decoded;
    while (true) {
      const std::size_t end = rest_.find_first_of("\"\\");
      if (end == std::string_view::npos) return fail("a string without its end");
      const std::string_view plain = rest_.substr(0, end);
      for (const char c : plain) {
        if (static_cast<unsigned char>(c) < 0x20) return fail("a control character in a string");
      }
      decoded += plain;
      const char what = rest_[end];
      rest_.remove_prefix(end + 1);
      if (what == '"') break;
      if (!escape(decoded)) return false;
    }
    if (!text::is_utf8(decoded)) return fail("a string that is not UTF-8");
    Context::of(L_).meter.spend(L_, decoded.size() / 16);
    push(L_, decoded);
    return true;
  }

  // After the backslash.
  bool escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return fail("a string without its end");
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter != 'u') {
      const std::size_t at = letters.find(letter);
      if (at == std::string_view::npos) return fail("an unknown escape in a string");
      out += meanings[at];
      return true;
    }
    char32_t unit = 0;
    if (!hex(unit)) return false;
    if (is_high_surrogate(unit) && rest_.starts_with("\\u")) {
      const std::string_view before = rest_;
      rest_.remove_prefix(2);
      char32_t low = 0;
      if (!hex(low)) return false;
      if (is_low_surrogate(low)) {
        append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        return true;
      }
      rest_ = before;
    }
    append_utf8(out, is_high_surrogate(unit) || is_low_surrogate(unit) ? U'\ufffd' : unit);
    return true;
  }

  bool hex(char32_t& unit) {
    std::uint32_t value = 0;
    const char* end = rest_.data() + std::min<std::size_t>(4, rest_.size());
    const auto [stop, error] = std::from_chars(rest_.data(), end, value, 16);
    if (error != std::errc() || stop != rest_.data() + 4) return fail("an unknown escape in a string");
    unit = value;
    rest_.remove_prefix(4);
    return true;
  }

  std::size_t digits(std::size_t at) const {
    while (at < rest_.size() && text::is_digit(rest_[at])) ++at;
    return at;
  }

  bool number() {
    std::size_t at = rest_.starts_with('-') ? 1 : 0;
    const std::size_t first = at;
    at = digits(at);
    bool is_good = at > first && (rest_[first] != '0' || at == first + 1);
    bool is_whole = true;
    if (is_good && at < rest_.size() && rest_[at] == '.') {
      const std::size_t begin = at + 1;
      at = digits(begin);
      is_good = at > begin;
      is_whole = false;
    }
    if (is_good && at < rest_.size() && (rest_[at] == 'e' || rest_[at] == 'E')) {
      std::size_t begin = at + 1;
      if (begin < rest_.size() && (rest_[begin] == '+' || rest_[begin] == '-')) ++begin;
      at = digits(begin);
      is_good = at > begin;
      is_whole = false;
    }
    if (!is_good) return fail("expected a value");
    const char* const begin = rest_.data();
    const char* const end = begin + at;
    rest_.remove_prefix(at);
    lua_Integer integer = 0;
    if (is_whole && std::from_chars(begin, end, integer).ec == std::errc()) {
      lua_pushinteger(L_, integer);
      return true;
    }
    double number = 0;
    const auto read = std::from_chars(begin, end, number);
    if (read.ec != std::errc() || !std::isfinite(number)) return fail("a number that is too large or too small");
    lua_pushnumber(L_, number);
    return true;
  }

  lua_State* L_;
  std::string_view rest_;
  const char* problem_ = nullptr;
};

}  // namespace

const char* push_json(lua_State* L, std::string_view json) {
  const int top = lua_gettop(L);
  Reader reader(L, json);
  if (reader.whole()) return nullptr;
  lua_settop(L, top);
  return reader.problem();
}

}  // namespace sallyport::lua
