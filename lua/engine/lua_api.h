// Lua's own headers. The library is the C++ build of Lua 5.4 (lua5.4-c++): an error is a C++ exception, so it unwinds
// our frames and runs their destructors. It may be caught by Lua alone: catch what we throw, never `...`.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <exception>
#include <string_view>

namespace sallyport::lua {

// A function of ours as Lua may call it. What C++ throws must not travel through Lua, which would take it for an error
// of its own without a message and leave the thread half unwound.
template <lua_CFunction function>
int guarded(lua_State* L) {
  try {
    return function(L);
  } catch (const std::exception&) {
    // Lua's error is raised below, outside the handler.
  }
  return luaL_error(L, "the gateway could not do this");
}

inline void push(lua_State* L, std::string_view text) { lua_pushlstring(L, text.data(), text.size()); }

// The string at `index`; valid while it stays on the stack. Only for what is a string.
inline std::string_view to_text(lua_State* L, int index) {
  std::size_t length = 0;
  const char* octets = lua_tolstring(L, index, &length);
  return {octets, length};
}

// The string argument `index`, or Lua's error about its type. A number counts as its text, as everywhere in Lua.
inline std::string_view check_text(lua_State* L, int index) {
  std::size_t length = 0;
  const char* octets = luaL_checklstring(L, index, &length);
  return {octets, length};
}

// True for a string proper: a number is none.
inline bool is_text(lua_State* L, int index) { return lua_type(L, index) == LUA_TSTRING; }

}  // namespace sallyport::lua
