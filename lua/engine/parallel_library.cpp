// sp.each and sp.all: functions that run beside each other, so that what they look up is asked at the same time.
//
// Each function runs as a coroutine. When one waits, the next begins; when all that have begun wait, the rule does. As
// everything of a rule they share its globals, its budget and the mail's deadline.
#include <array>
#include <new>

#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/coroutines.h"
#include "lua/engine/frozen.h"
#include "lua/engine/waiting.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_branches = 32;  // that run at a time
constexpr lua_Integer most_items = 1000;

// One of the coroutines. Their threads are in a Lua table, at the same number plus 1, and are used again.
struct Branch {
  bool is_active = false;
  const Request* awaits = nullptr;  // what alone can make it go on; null: not known
  lua_Integer item = 0;
};

// The state of one call of sp.each or sp.all: a userdata, as it must outlive the C++ frames of the call.
struct Branches {
  std::array<Branch, most_branches> branches{};
  lua_Integer next = 1;  // the item to begin with next
  lua_Integer count = 0;
  std::size_t active = 0;
  bool has_errors = false;
};

// The stack of the call. `functions` is the one function of sp.each, or the table that sp.all was given.
enum Slot : int { items = 1, functions, results, errors, seen, threads, state };

Branches& branches_of(lua_State* L) { return *static_cast<Branches*>(lua_touserdata(L, state)); }

int thread_number(const Branches& all, const Branch& branch) {
  return static_cast<int>(&branch - all.branches.data()) + 1;
}

lua_State* push_thread(lua_State* L, int number) {
  if (lua_rawgeti(L, threads, number) == LUA_TTHREAD) return lua_tothread(L, -1);
  lua_pop(L, 1);
  lua_State* thread = lua_newthread(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, threads, number);
  return thread;
}

// Stores what the function has returned, the top `values` values of the stack, under its item.
void store(lua_State* L, Branches& all, Branch& branch, int values) {
  const int first = lua_gettop(L) - values + 1;
  const bool has_value = values > 0 && !lua_isnil(L, first);
  const bool has_error = !has_value && values > 1 && !lua_isnil(L, first + 1);
  if (has_value || has_error) {
    lua_rawgeti(L, items, branch.item);
    lua_pushvalue(L, has_value ? first : first + 1);
    lua_rawset(L, has_value ? results : errors);
  }
  all.has_errors = all.has_errors || has_error;
  lua_settop(L, first - 1);
  branch.is_active = false;
  --all.active;
}

// Takes what a branch came to. False: it pauses, and so must the rule.
bool take(lua_State* L, Branches& all, Branch& branch, const Resumed& resumed) {
  Context& context = Context::of(L);
  switch (resumed.how) {
    case Resumed::How::returns:
      store(L, all, branch, resumed.values);
      return true;
    case Resumed::How::yields:
      luaL_error(L, "a function that runs beside others cannot yield");
      return true;
    case Resumed::How::error:
      lua_error(L);
      return true;
    case Resumed::How::host_yield:
      break;
  }
  if (context.host_yield == HostYield::pauses) {
    branch.awaits = nullptr;
    return false;
  }
  branch.awaits = std::exchange(context.awaited, nullptr);
  context.host_yield = HostYield::none;
  return true;
}

bool begin(lua_State* L, Branches& all, Branch& branch) {
  branch.item = all.next++;
  lua_rawgeti(L, items, branch.item);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, seen) != LUA_TNIL) {  // an item that was there before
    lua_pop(L, 2);
    return true;
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_pushboolean(L, 1);
  lua_rawset(L, seen);
  branch.is_active = true;
  ++all.active;
  const bool is_each = lua_isfunction(L, functions);
  lua_State* thread = push_thread(L, thread_number(all, branch));
  lua_pop(L, 1);  // the table keeps it
  if (is_each) {
    lua_pushvalue(L, functions);
    lua_insert(L, -2);  // function, item
  } else {
    lua_rawget(L, functions);
  }
  const int arguments = is_each ? 1 : 0;
  lua_pushvalue(L, -(arguments + 1));
  lua_xmove(L, thread, 1);
  lua_remove(L, -(arguments + 1));
  return take(L, all, branch, resume_coroutine(L, thread, arguments));
}

int continue_branches(lua_State* L, int status, lua_KContext);

int run_branches(lua_State* L) {
  Branches& all = branches_of(L);
  for (Branch& branch : all.branches) {
    bool goes_on = true;
    if (branch.is_active && (!branch.awaits || branch.awaits->is_done())) {
      lua_State* thread = push_thread(L, thread_number(all, branch));
      lua_pop(L, 1);
      goes_on = take(L, all, branch, continue_coroutine(L, thread));
    }
    while (goes_on && !branch.is_active && all.next <= all.count) goes_on = begin(L, all, branch);
    if (!goes_on) return lua_yieldk(L, 0, 0, guarded_continuation<continue_branches>);
  }
  if (all.active > 0) {
    Context& context = Context::of(L);
    context.host_yield = HostYield::waits;
    context.awaited = nullptr;
    return lua_yieldk(L, 0, 0, guarded_continuation<continue_branches>);
  }
  lua_pushvalue(L, results);
  all.has_errors ? lua_pushvalue(L, errors) : lua_pushnil(L);
  return 2;
}

int continue_branches(lua_State* L, int, lua_KContext) {
  lua_settop(L, state);
  return run_branches(L);
}

// The stack: items, functions.
int run_all(lua_State* L) {
  check_can_wait(L);
  luaL_checkstack(L, 20, nullptr);
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, items));
  lua_createtable(L, 0, static_cast<int>(count));
  lua_newtable(L);
  lua_createtable(L, 0, static_cast<int>(count));
  lua_newtable(L);
  auto* all = new (lua_newuserdatauv(L, sizeof(Branches), 0)) Branches;
  all->count = count;
  return run_branches(L);
}

bool is_nan(lua_State* L, int index) {
  return lua_type(L, index) == LUA_TNUMBER && lua_tonumber(L, index) != lua_tonumber(L, index);
}

int each(lua_State* L) {
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, items));
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(L, items, i);
    if (lua_isnil(L, -1) || is_nan(L, -1)) luaL_argerror(L, 1, "an item is nil or not a number");
    lua_pop(L, 1);
  }
  return run_all(L);
}

int all(lua_State* L) {
  lua_newtable(L);
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    Context::of(L).meter.spend(L, 1);
    if (!lua_isfunction(L, -1)) luaL_argerror(L, 1, "function expected in every entry");
    if (++count > most_items) luaL_argerror(L, 1, "more than 1000 entries");
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, count);
  }
  lua_insert(L, 1);  // the keys, then the functions
  return run_all(L);
}

constexpr Function library[] = {
    {.name = "each",
     .about =
         "Calls the function for each item, all calls beside each other. Items that are there twice are taken once; at "
         "most 32 calls wait at a time.",
     .call = each,
     .arguments =
         {{{.name = "items", .kind = Kind::list, .about = "What to look at.", .most = most_items, .type = "any[]"},
           {.name = "fn",
            .kind = Kind::function,
            .about = "What to do with one; gives a value, or nil and an error.",
            .type = "fun(item: any): any, any"}}},
     .returns = {{{"table<any, any>", "values", "by item: what the function gave, where that was not nil"},
                  {"table<any, any>?", "errors", "by item: the errors; nil: there were none"}}},
     .waits = true},
    {.name = "all",
     .about = "Calls the functions of a table beside each other.",
     .call = all,
     .arguments = {{{.name = "functions",
                     .kind = Kind::dictionary,
                     .about = "The functions, with any keys; at most 1000.",
                     .type = "table<any, fun(): any, any>"}}},
     .returns = {{{"table<any, any>", "values", "by key: what each gave, where that was not nil"},
                  {"table<any, any>?", "errors", "by key: the errors; nil: there were none"}}},
     .waits = true},
};

}  // namespace

const Library parallel_library{.path = "sp", .about = "Lookups beside each other.", .functions = library};

}  // namespace sallyport::lua
