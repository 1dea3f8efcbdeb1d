// Of Lua's base library what must know of budgets (pcall, xpcall), of frozen tables (next, rawget ...) and of finalizers.
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/libraries.h"

namespace sallyport::lua {

namespace {

bool has_failed(int status) { return status != LUA_OK && status != LUA_YIELD; }

// Stack: `below` values that are not results, true, results; after an error its message on top.
int finish_pcall(lua_State* L, int status, lua_KContext below) {
  Context::of(L).meter.pass_on(L, status);
  if (!has_failed(status)) return lua_gettop(L) - static_cast<int>(below);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

int protected_call(lua_State* L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  const int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
  return finish_pcall(L, status, 0);
}

// Gives false and what the handler made of the error; or, when the handler failed, its error.
int finish_handler(lua_State* L, int status, lua_KContext) {
  Context::of(L).meter.pass_on(L, status);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

int finish_xpcall(lua_State* L, int status, lua_KContext below) {
  Context::of(L).meter.pass_on(L, status);
  if (!has_failed(status)) return lua_gettop(L) - static_cast<int>(below);
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  return finish_handler(L, lua_pcallk(L, 1, 1, 0, 0, finish_handler), 0);
}

// The handler runs after the stack has unwound, not above the error: Lua runs it with the hook switched off when the error
// came from the hook, and a loop in there would never end.
int protected_call_with_handler(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_insert(L, 1);  // handler, function, handler, arguments
  lua_pushboolean(L, 1);
  lua_replace(L, 3);
  lua_pushvalue(L, 2);
  lua_insert(L, 4);
  lua_remove(L, 2);  // handler, true, function, arguments
  const int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 0, 1, finish_xpcall);
  return finish_xpcall(L, status, 1);
}

void refuse_field(lua_State* L, const char* field) {
  lua_pushstring(L, field);
  if (lua_rawget(L, 2) != LUA_TNIL) luaL_error(L, "a metatable with %s cannot be set", field);
  lua_pop(L, 1);
}

// Finalizers would run at any time, in any run, and weak tables make a collection take longer than a run may. Lua looks for
// __gc only when a metatable is set.
int set_metatable(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    push_contents(L, 2);
    lua_replace(L, 2);
    refuse_field(L, "__gc");
    refuse_field(L, "__mode");
  }
  lua_setmetatable(L, 1);
  return 1;
}

int get_metatable(lua_State* L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
  } else if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL) {
    unhide(L);
  }
  return 1;
}

int next_entry(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  push_contents(L, 1);
  lua_replace(L, 1);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

int raw_get(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  push_contents(L, 1);
  lua_insert(L, 2);
  lua_rawget(L, 2);
  return 1;
}

int raw_set(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  luaL_argcheck(L, !is_frozen(L, 1), 1, "a table made while the rules loaded cannot be changed");
  lua_rawset(L, 1);
  return 1;
}

int raw_length(lua_State* L) {
  luaL_argexpected(L, lua_istable(L, 1) || is_text(L, 1), 1, "table or string");
  push_contents(L, 1);
  lua_pushinteger(L, static_cast<lua_Integer>(lua_rawlen(L, -1)));
  return 1;
}

}  // namespace

void add_base_functions(lua_State* L) {
  static const luaL_Reg functions[] = {
      {"getmetatable", guarded<get_metatable>},
      {"next", guarded<next_entry>},
      {"pcall", guarded<protected_call>},
      {"rawget", guarded<raw_get>},
      {"rawlen", guarded<raw_length>},
      {"rawset", guarded<raw_set>},
      {"setmetatable", guarded<set_metatable>},
      {"xpcall", guarded<protected_call_with_handler>},
      {nullptr, nullptr},
  };
  luaL_setfuncs(L, functions, 0);
}

}  // namespace sallyport::lua
