// The functions of Lua's base library that must know of budgets (pcall, xpcall), of frozen tables (next, rawget and
// others), of finalizers (setmetatable), and whose text an error has (error, assert).
#include "lua/engine/context.h"
#include "lua/engine/fixed_text.h"
#include "lua/engine/frozen.h"
#include "lua/engine/libraries.h"

namespace sallyport::lua {

namespace {

// How deep calls may be nested when a protected call is made. After an error Lua walks through all calls below the
// protected one, so catching errors in very deep nesting would take time quadratic in the depth.
constexpr int deepest_protected_call = 1000;

void check_depth(lua_State* L) {
  lua_Debug frame;
  if (lua_getstack(L, deepest_protected_call, &frame))
    luaL_error(L, "stack overflow (protected calls nest too deeply)");
}

bool has_failed(int status) { return status != LUA_OK && status != LUA_YIELD; }

// Notes whose text the error at the top of the stack has, which a function of ours has caught.
void note_caught(lua_State* L) {
  if (!is_text(L, -1)) return;
  const std::size_t digest = digest_of(to_text(L, -1));
  Context& context = Context::of(L);
  if (digest != context.raised_by_rule) context.raised_by_engine = digest;
}

void note_raised(lua_State* L, int index) {
  if (!is_text(L, index)) return;
  const std::size_t digest = digest_of(to_text(L, index));
  Context& context = Context::of(L);
  if (digest != context.raised_by_engine) context.raised_by_rule = digest;
}

// error and assert: Lua's own, which are the upvalue. Called in this function's frame, they name the same place.
int raise_error(lua_State* L) {
  note_raised(L, 1);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

int raise_unless(lua_State* L) {
  if (!lua_toboolean(L, 1)) note_raised(L, 2);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Replaces the function `name` of the table on top of the stack by `ours`, which has it as its upvalue.
void wrap(lua_State* L, const char* name, lua_CFunction ours) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, ours, 1);
  lua_setfield(L, -2, name);
}

// Stack: `below` values that are not results, then `true` and the results; after an error, the error on top.
int finish_pcall(lua_State* L, int status, lua_KContext below) {
  Context::of(L).meter.pass_on(L, status);
  if (!has_failed(status)) return lua_gettop(L) - static_cast<int>(below);
  note_caught(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

int protected_call(lua_State* L) {
  luaL_checkany(L, 1);
  check_depth(L);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  const int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
  return finish_pcall(L, status, 0);
}

// Returns false and the value that the handler has made of the error; when the handler itself failed, false and its
// error.
int finish_handler(lua_State* L, int status, lua_KContext) {
  Context::of(L).meter.pass_on(L, status);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

int finish_xpcall(lua_State* L, int status, lua_KContext below) {
  Context::of(L).meter.pass_on(L, status);
  if (!has_failed(status)) return lua_gettop(L) - static_cast<int>(below);
  note_caught(L);
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  return finish_handler(L, lua_pcallk(L, 1, 1, 0, 0, finish_handler), 0);
}

// The handler runs after the stack has unwound, not on top of the failed call: when the error comes from the hook, Lua
// would run the handler with the hook disabled, and an endless loop in it would never stop.
int protected_call_with_handler(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  check_depth(L);
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

// Key under which the metatable that we set keeps the table that the rule has given.
const char given_key = 0;

// Pushes a copy of the metamethods of the table at index 2.
void push_metamethods(lua_State* L) {
  lua_newtable(L);
  const int copy = lua_gettop(L);
  push_contents(L, 2);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    Context::of(L).meter.spend(L, 1);
    const std::string_view name = is_text(L, -2) ? to_text(L, -2) : std::string_view();
    if (name == "__gc" || name == "__mode") luaL_error(L, "a metatable with %s cannot be set", name.data());
    if (!name.starts_with("__")) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  lua_settop(L, copy);
}

// Refuses finalizers and weak tables. A finalizer would run at any time, in any run. With weak tables a collection,
// which nothing can interrupt, may take time quadratic in what the rule has made. Lua reads __mode at each collection,
// and a rule could add it after this call; so the metatable that is set is a copy that the rule cannot reach.
int set_metatable(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    push_metamethods(L);
    lua_pushvalue(L, 2);
    lua_rawsetp(L, -2, &given_key);
  } else {
    lua_pushnil(L);
  }
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

int get_metatable(lua_State* L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
  } else if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL) {
    lua_rawgetp(L, -1, &given_key);
  }
  return 1;
}

// Lua's own gives the address of a table, a function or a coroutine; a rule that puts it into a header or a log would
// tell where our memory is.
int to_string(lua_State* L) {
  luaL_checkany(L, 1);
  push_as_text(L, 1);
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

void push_as_text(lua_State* L, int index) {
  const int type = lua_type(L, index);
  if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING) {
    luaL_tolstring(L, index, nullptr);
    return;
  }
  index = lua_absindex(L, index);
  if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
    lua_pop(L, 1);
    luaL_tolstring(L, index, nullptr);
    return;
  }
  const int name = luaL_getmetafield(L, index, "__name");
  if (name == LUA_TSTRING) return;
  if (name != LUA_TNIL) lua_pop(L, 1);
  lua_pushstring(L, lua_typename(L, type));
}

void add_base_functions(lua_State* L) {
  static const luaL_Reg functions[] = {
      {"getmetatable", guarded<get_metatable>},
      {"next", guarded<next_entry>},
      {"pcall", guarded<protected_call>},
      {"rawget", guarded<raw_get>},
      {"rawlen", guarded<raw_length>},
      {"rawset", guarded<raw_set>},
      {"setmetatable", guarded<set_metatable>},
      {"tostring", guarded<to_string>},
      {"xpcall", guarded<protected_call_with_handler>},
      {nullptr, nullptr},
  };
  luaL_setfuncs(L, functions, 0);
  wrap(L, "error", guarded<raise_error>);
  wrap(L, "assert", guarded<raise_unless>);
}

}  // namespace sallyport::lua
