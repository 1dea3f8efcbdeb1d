#include "lua/engine/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "gateway/base/letters.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/json_reader.h"

namespace sallyport::lua {

namespace {

class Writer {
 public:
  explicit Writer(lua_State* L) : L_(L) {}

  void value(int depth) {
    Meter& meter = Context::of(L_).meter;
    meter.spend(L_, 4);
    meter.claim(L_, out_.size());
    switch (lua_type(L_, -1)) {
      case LUA_TNIL:
        out_ += "null";
        return;
      case LUA_TBOOLEAN:
        out_ += lua_toboolean(L_, -1) ? "true" : "false";
        return;
      case LUA_TNUMBER:
        return number();
      case LUA_TSTRING:
        return string(to_text(L_, -1));
      case LUA_TTABLE:
        return table(depth);
      default:
        luaL_error(L_, "JSON has no %s", luaL_typename(L_, -1));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void number() {
    std::array<char, 32> digits{};
    char* const end = digits.data() + digits.size();
    std::to_chars_result written{};
    if (lua_isinteger(L_, -1)) {
      written = std::to_chars(digits.data(), end, lua_tointeger(L_, -1));
    } else {
      const double number = lua_tonumber(L_, -1);
      if (number - number != 0) luaL_error(L_, "JSON has no infinite numbers");
      written = std::to_chars(digits.data(), end, number);
    }
    out_.append(digits.data(), written.ptr);
  }

  void string(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    Meter& meter = Context::of(L_).meter;
    meter.spend(L_, text.size() / 16);
    meter.claim(L_, out_.size() + text.size() * 3);
    out_ += '"';
    for (const char c : to_valid_utf8(text)) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        out_ += "\\u00";
        out_ += hex[static_cast<unsigned char>(c) >> 4];
        out_ += hex[static_cast<unsigned char>(c) & 0xf];
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  void table(int depth) {
    if (depth > most_json_depth) luaL_error(L_, "nested too deeply for JSON");
    luaL_checkstack(L_, 8, nullptr);
    push_contents(L_, -1);
    const int contents = lua_gettop(L_);
    const auto length = static_cast<lua_Integer>(lua_rawlen(L_, contents));
    if (length > 0 && is_list(contents, length)) {
      list(contents, length, depth);
    } else {
      object(contents, depth);
    }
    lua_settop(L_, contents - 1);
  }

  // True when the keys are 1 to `length`.
  bool is_list(int contents, lua_Integer length) {
    lua_Integer entries = 0;
    lua_pushnil(L_);
    while (lua_next(L_, contents)) {
      Context::of(L_).meter.spend(L_, 1);
      lua_pop(L_, 1);
      const lua_Integer key = lua_isinteger(L_, -1) ? lua_tointeger(L_, -1) : 0;
      if (key < 1 || key > length) {
        lua_pop(L_, 1);
        return false;
      }
      ++entries;
    }
    return entries == length;
  }

  void list(int contents, lua_Integer length, int depth) {
    out_ += '[';
    for (lua_Integer i = 1; i <= length; ++i) {
      if (i > 1) out_ += ',';
      lua_rawgeti(L_, contents, i);
      value(depth + 1);
      lua_pop(L_, 1);
    }
    out_ += ']';
  }

  void object(int contents, int depth) {
    std::vector<std::pair<std::string, bool>> keys;  // the name, and whether the key is an integer
    lua_pushnil(L_);
    while (lua_next(L_, contents)) {
      lua_pop(L_, 1);
      Context::of(L_).meter.spend(L_, 4);
      const bool is_integer = lua_isinteger(L_, -1) != 0;
      if (!is_integer && !is_text(L_, -1)) luaL_error(L_, "JSON has no keys of type %s", luaL_typename(L_, -1));
      keys.emplace_back(is_integer ? std::to_string(lua_tointeger(L_, -1)) : std::string(to_text(L_, -1)), is_integer);
    }
    std::sort(keys.begin(), keys.end());
    out_ += '{';
    bool is_first = true;
    for (const auto& [name, is_integer] : keys) {
      if (!std::exchange(is_first, false)) out_ += ',';
      string(name);
      out_ += ':';
      is_integer ? lua_pushinteger(L_, std::stoll(name)) : push(L_, name);
      lua_rawget(L_, contents);
      value(depth + 1);
      lua_pop(L_, 1);
    }
    out_ += '}';
  }

  lua_State* L_;
  std::string out_;
};

}  // namespace

std::string to_json(lua_State* L) {
  Writer writer(L);
  writer.value(1);
  std::string json = writer.take();
  Context::of(L).meter.claim(L, json.size());
  return json;
}

}  // namespace sallyport::lua
