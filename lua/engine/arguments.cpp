#include "lua/engine/arguments.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gateway/base/text.h"
#include "lua/engine/frozen.h"

namespace sallyport::lua {

std::string_view check_string(lua_State* L, int index) {
  luaL_argexpected(L, is_text(L, index), index, "string");
  return to_text(L, index);
}

void check_options(lua_State* L, int index, std::initializer_list<std::string_view> known) {
  if (lua_isnoneornil(L, index)) {
    lua_settop(L, index - 1);
    lua_newtable(L);
    return;
  }
  luaL_checktype(L, index, LUA_TTABLE);
  push_contents(L, index);
  lua_replace(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    const bool found = is_text(L, -1) && std::find(known.begin(), known.end(), to_text(L, -1)) != known.end();
    if (found) continue;
    const std::vector<std::string> names(known.begin(), known.end());
    const std::string_view name = is_text(L, -1) ? to_text(L, -1) : std::string_view("[?]");
    push(L, text::printable(name, 64));
    push(L, text::did_you_mean(name, names));
    if (*lua_tostring(L, -1)) {
      luaL_error(L, "unknown field '%s'; did you mean '%s'?", lua_tostring(L, -2), lua_tostring(L, -1));
    }
    luaL_error(L, "unknown field '%s'", lua_tostring(L, -2));
  }
}

bool has_option(lua_State* L, int table, const char* name) {
  const bool there = lua_getfield(L, table, name) != LUA_TNIL;
  lua_pop(L, 1);
  return there;
}

std::string optional_string(lua_State* L, int table, const char* name) {
  lua_getfield(L, table, name);
  std::string text;
  if (is_text(L, -1)) {
    text = to_text(L, -1);
  } else if (!lua_isnil(L, -1)) {
    luaL_error(L, "%s: expected a string, not a %s", name, luaL_typename(L, -1));
  }
  lua_pop(L, 1);
  return text;
}

double check_number_option(lua_State* L, int table, const char* name) {
  if (lua_getfield(L, table, name) != LUA_TNUMBER || !std::isfinite(lua_tonumber(L, -1))) {
    luaL_error(L, "%s: expected a number", name);
  }
  const double number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return number;
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return text::is_alnum(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace sallyport::lua
