#include "lua/engine/libraries.h"

namespace sallyport::lua {

namespace {

constexpr const char* base_names[] = {"assert", "error",    "ipairs", "pairs", "rawequal",
                                      "select", "tonumber", "type",   nullptr};
constexpr const char* math_names[] = {"abs", "acos",       "asin", "atan", "ceil", "cos", "deg",
                                      "exp", "floor",      "fmod", "huge", "log",  "max", "maxinteger",
                                      "min", "mininteger", "modf", "pi",   "rad",  "sin", "sqrt",
                                      "tan", "tointeger",  "type", "ult",  nullptr};
constexpr const char* utf8_names[] = {"char", "charpattern", "codepoint", "codes", "len", "offset", nullptr};
constexpr const char* os_names[] = {"date", "time", nullptr};

// Pushes a table with some functions of one of Lua's own libraries.
void push_part(lua_State* L, lua_CFunction open, const char* const* names) {
  lua_newtable(L);
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
  copy_functions(L, names);
  lua_pop(L, 1);
}

}  // namespace

void copy_functions(lua_State* L, const char* const* names) {
  for (; *names; ++names) {
    lua_getfield(L, -1, *names);
    lua_setfield(L, -3, *names);
  }
}

void push_globals(lua_State* L) {
  lua_newtable(L);
  // Lua's base library writes into the state's own table of globals, which nobody else gets to see.
  luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
  copy_functions(L, base_names);
  lua_pop(L, 1);
  add_base_functions(L);
  lua_pushliteral(L, LUA_VERSION);
  lua_setfield(L, -2, "_VERSION");

  push_coroutine_library(L);
  lua_setfield(L, -2, LUA_COLIBNAME);
  push_string_library(L);
  lua_setfield(L, -2, LUA_STRLIBNAME);
  push_table_library(L);
  lua_setfield(L, -2, LUA_TABLIBNAME);
  push_part(L, luaopen_math, math_names);
  lua_setfield(L, -2, LUA_MATHLIBNAME);
  push_part(L, luaopen_utf8, utf8_names);
  lua_setfield(L, -2, LUA_UTF8LIBNAME);
  push_part(L, luaopen_os, os_names);
  lua_setfield(L, -2, LUA_OSLIBNAME);
}

}  // namespace sallyport::lua
