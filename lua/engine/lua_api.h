// Includes Lua's headers and adds the smallest helpers. The library is the C++ build of Lua 5.4 (lua5.4-c++): it raises
// errors as C++ exceptions, which unwind our frames and run their destructors. Only Lua may catch these, so our code
// never writes `catch (...)`; it catches its own exception types only.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <exception>
#include <string_view>

namespace sallyport::lua {

// Wraps a C++ function for calls from Lua. A C++ exception must not pass through Lua: Lua would take it for one of its
// own errors, without a message, and would leave the thread half unwound. It becomes a Lua error here.
template <lua_CFunction function>
int guarded(lua_State* L) {
  try {
    return function(L);
  } catch (const std::exception&) {
    // Lua's error is raised below, outside the handler.
  }
  return luaL_error(L, "the gateway could not do this");
}

// The same for the function by which a C++ function goes on after a yield.
template <int (*function)(lua_State*, int, lua_KContext)>
int guarded_continuation(lua_State* L, int status, lua_KContext context) {
  try {
    return function(L, status, context);
  } catch (const std::exception&) {
    // Lua's error is raised below, outside the handler.
  }
  return luaL_error(L, "the gateway could not do this");
}

inline void push(lua_State* L, std::string_view text) { lua_pushlstring(L, text.data(), text.size()); }

// Gives the octets of the string at `index`, which must be a string. The view is valid while the string stays on the
// stack.
inline std::string_view to_text(lua_State* L, int index) {
  std::size_t length = 0;
  const char* octets = lua_tolstring(L, index, &length);
  return {octets, length};
}

// Gives the string argument `index`, or raises Lua's error about its type. As everywhere in Lua, a number counts as its
// text.
inline std::string_view check_text(lua_State* L, int index) {
  std::size_t length = 0;
  const char* octets = luaL_checklstring(L, index, &length);
  return {octets, length};
}

// True for a string; false for a number, which Lua's own lua_isstring() would accept.
inline bool is_text(lua_State* L, int index) { return lua_type(L, index) == LUA_TSTRING; }

}  // namespace sallyport::lua
