// Coroutines for rules. Lua's own library would let a rule catch the error of a breached budget, would close a
// coroutine that the hook has stopped while the hook is disabled, and would take the engine's own yields for the
// rule's.
#include "lua/engine/coroutines.h"

#include "lua/engine/context.h"
#include "lua/engine/libraries.h"

namespace sallyport::lua {

namespace {

// coroutine.close runs __close handlers, which may close coroutines in turn. Lua does not count these against its limit
// of nested C calls, and the C stack of a worker is limited.
constexpr unsigned most_nested_closings = 4;
// Cost of switching to a coroutine and back, in instructions.
constexpr std::uint64_t resume_steps = 20;

bool has_failed(int status) { return status != LUA_OK && status != LUA_YIELD; }

lua_State* check_coroutine(lua_State* L) {
  lua_State* coroutine = lua_tothread(L, 1);
  luaL_argexpected(L, coroutine, 1, "coroutine");
  return coroutine;
}

int create(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State* coroutine = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine, 1);
  return 1;
}

// The coroutines in which the engine waits or pauses: keys of a table in the registry, which does not keep them alive.
// A rule may not resume or close them.
const char suspended_key = 0;

void push_suspended(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &suspended_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &suspended_key);
}

void push_coroutine(lua_State* L, lua_State* coroutine) {
  if (!lua_checkstack(coroutine, 1)) luaL_error(L, "stack overflow");
  lua_pushthread(coroutine);
  lua_xmove(coroutine, L, 1);
}

void set_suspended(lua_State* L, lua_State* coroutine, bool is_suspended) {
  luaL_checkstack(L, 5, nullptr);
  push_suspended(L);
  push_coroutine(L, coroutine);
  is_suspended ? lua_pushboolean(L, 1) : lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  Context::of(L).suspends = Context::of(L).suspends || is_suspended;
}

bool is_suspended(lua_State* L, lua_State* coroutine) {
  if (!Context::of(L).suspends || coroutine == L) return false;
  luaL_checkstack(L, 5, nullptr);
  push_suspended(L);
  push_coroutine(L, coroutine);
  const bool found = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return found;
}

int continue_resume(lua_State* L, int status, lua_KContext);
int continue_wrapped(lua_State* L, int status, lua_KContext);

int finish_resume(lua_State* L, const Resumed& resumed) {
  if (resumed.how == Resumed::How::host_yield) return lua_yieldk(L, 0, 0, guarded_continuation<continue_resume>);
  lua_pushboolean(L, resumed.how != Resumed::How::error);
  lua_insert(L, -(resumed.values + 1));
  return resumed.values + 1;
}

int resume(lua_State* L) {
  lua_State* coroutine = check_coroutine(L);
  return finish_resume(L, resume_coroutine(L, coroutine, lua_gettop(L) - 1));
}

int continue_resume(lua_State* L, int, lua_KContext) {
  lua_settop(L, 1);
  return finish_resume(L, continue_coroutine(L, lua_tothread(L, 1)));
}

// Closes the variables of a coroutine that will not run again. Its error, if it has one, stays on its stack.
int close_variables(lua_State* L, lua_State* coroutine) {
  Context& context = Context::of(L);
  if (context.closing_coroutines >= most_nested_closings) luaL_error(L, "closing coroutines nests too deeply");
  ++context.closing_coroutines;
  lua_State* before = context.meter.switch_to(coroutine);
  const int status = lua_resetthread(coroutine);
  context.meter.switch_to(before);
  --context.closing_coroutines;
  context.meter.pass_on(L, status);
  return status;
}

int close(lua_State* L) {
  lua_State* coroutine = check_coroutine(L);
  lua_Debug frame;
  const bool active = lua_status(coroutine) == LUA_OK && lua_getstack(coroutine, 0, &frame);
  if (coroutine == L || active || is_suspended(L, coroutine)) return luaL_error(L, "cannot close a running coroutine");
  if (close_variables(L, coroutine) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(coroutine, L, 1);
  return 2;
}

int finish_wrapped(lua_State* L, lua_State* coroutine, const Resumed& resumed) {
  if (resumed.how == Resumed::How::host_yield) return lua_yieldk(L, 0, 0, guarded_continuation<continue_wrapped>);
  if (resumed.how != Resumed::How::error) return resumed.values;
  if (has_failed(lua_status(coroutine)) && close_variables(L, coroutine) != LUA_OK) {
    // An error raised while closing replaces the first one.
    lua_xmove(coroutine, L, 1);
  }
  return lua_error(L);
}

int resume_wrapped(lua_State* L) {
  lua_State* coroutine = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrapped(L, coroutine, resume_coroutine(L, coroutine, lua_gettop(L)));
}

int continue_wrapped(lua_State* L, int, lua_KContext) {
  lua_State* coroutine = lua_tothread(L, lua_upvalueindex(1));
  lua_settop(L, 0);
  return finish_wrapped(L, coroutine, continue_coroutine(L, coroutine));
}

int wrap(lua_State* L) {
  create(L);
  lua_pushcclosure(L, guarded<resume_wrapped>, 1);
  return 1;
}

}  // namespace

Resumed resume_coroutine(lua_State* L, lua_State* coroutine, int arguments) {
  Context& context = Context::of(L);
  Meter& meter = context.meter;
  meter.spend(L, resume_steps);
  if (is_suspended(L, coroutine)) {
    lua_pushliteral(L, "cannot resume non-suspended coroutine");
    return {Resumed::How::error, 1};
  }
  if (!lua_checkstack(coroutine, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return {Resumed::How::error, 1};
  }
  lua_xmove(L, coroutine, arguments);
  int results = 0;
  const bool was_dead = has_failed(lua_status(coroutine));
  lua_State* before = meter.switch_to(coroutine);
  const bool could_yield = context.can_yield;
  context.can_yield = could_yield && lua_isyieldable(L);
  const int status = lua_resume(coroutine, L, arguments, &results);
  context.can_yield = could_yield;
  meter.switch_to(before);
  if (status == LUA_YIELD && context.host_yield != HostYield::none) {
    set_suspended(L, coroutine, true);
    return {Resumed::How::host_yield, 0};
  }
  meter.pass_on(L, status);
  if (has_failed(status)) {
    // The coroutine keeps its error: closing it later hands it to the __close handlers.
    if (!was_dead && lua_status(coroutine) == status && lua_checkstack(coroutine, 1)) lua_pushvalue(coroutine, -1);
    lua_xmove(coroutine, L, 1);
    return {Resumed::How::error, 1};
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(coroutine, results);
    lua_pushliteral(L, "too many results to resume");
    return {Resumed::How::error, 1};
  }
  lua_xmove(coroutine, L, results);
  return {status == LUA_YIELD ? Resumed::How::yields : Resumed::How::returns, results};
}

Resumed continue_coroutine(lua_State* L, lua_State* coroutine) {
  set_suspended(L, coroutine, false);
  return resume_coroutine(L, coroutine, 0);
}

void push_coroutine_library(lua_State* L) {
  static constexpr const char* own[] = {"isyieldable", "running", "status", "yield", nullptr};
  static const luaL_Reg functions[] = {
      {"close", guarded<close>}, {"create", guarded<create>}, {"resume", guarded<resume>},
      {"wrap", guarded<wrap>},   {nullptr, nullptr},
  };
  lua_newtable(L);
  lua_pushcfunction(L, luaopen_coroutine);
  lua_call(L, 0, 1);
  copy_functions(L, own);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}

}  // namespace sallyport::lua
