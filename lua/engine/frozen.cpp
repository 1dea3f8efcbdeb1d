#include "lua/engine/frozen.h"

#include <unordered_map>
#include <unordered_set>

namespace sallyport::lua {

namespace {

// Keys of the registry: a table from each hidden table to the frozen one before it, and the field of a frozen table's
// metatable that has its contents. Their addresses are the keys.
const char owners_key = 0;
const char contents_key = 0;

void push_registry_table(lua_State* L, const char* key) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

int refuse_change(lua_State* L) {
  return luaL_error(L, "this table was made while the rules loaded and cannot be changed while one runs");
}

int frozen_length(lua_State* L) {
  push_contents(L, 1);
  lua_pushinteger(L, luaL_len(L, -1));
  return 1;
}

int frozen_next(lua_State* L) {
  lua_settop(L, 2);
  return lua_next(L, lua_upvalueindex(1)) ? 2 : 0;
}

int frozen_pairs(lua_State* L) {
  push_contents(L, 1);
  lua_pushcclosure(L, guarded<frozen_next>, 1);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

// Sets a field of the metatable on top of the stack unless the original metatable has brought its own.
void set_default(lua_State* L, const char* field, lua_CFunction function) {
  if (lua_getfield(L, -1, field) == LUA_TNIL) {
    lua_pushcfunction(L, function);
    lua_setfield(L, -3, field);
  }
  lua_pop(L, 1);
}

// All values in reach of some, each once, without recursion: the ones still to be looked at lie in a Lua table.
class Walk {
 public:
  explicit Walk(lua_State* L) : L_(L) {
    lua_newtable(L);
    queue_ = lua_gettop(L);
    push_registry_table(L, &owners_key);
    owners_ = lua_gettop(L);
  }

  // Takes the value at the top of the stack.
  void add() {
    const int type = lua_type(L_, -1);
    const bool has_inside = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA || type == LUA_TTHREAD;
    if (has_inside && seen_.insert(lua_topointer(L_, -1)).second) {
      lua_rawseti(L_, queue_, ++length_);
    } else {
      lua_pop(L_, 1);
    }
  }

  // Pushes the next value, or gives false. What is in reach of it is added to the walk.
  bool next() {
    if (done_ == length_) return false;
    lua_rawgeti(L_, queue_, ++done_);
    const int value = lua_gettop(L_);
    if (lua_istable(L_, value)) {
      add_entries(value);
    } else if (lua_isfunction(L_, value)) {
      for (int i = 1; lua_getupvalue(L_, value, i); ++i) add();
    }
    return true;
  }

  bool is_hidden(int index) {
    lua_pushvalue(L_, index);
    const bool hidden = lua_rawget(L_, owners_) != LUA_TNIL;
    lua_pop(L_, 1);
    return hidden;
  }

 private:
  void add_entries(int table) {
    if (is_frozen(L_, table)) {
      push_contents(L_, table);
      add();
      return;
    }
    if (lua_getmetatable(L_, table)) add();
    lua_pushnil(L_);
    while (lua_next(L_, table)) {
      add();
      lua_pushvalue(L_, -1);
      add();
    }
  }

  lua_State* L_;
  int queue_ = 0;
  int owners_ = 0;
  lua_Integer length_ = 0;
  lua_Integer done_ = 0;
  std::unordered_set<const void*> seen_;
};

void move_contents(lua_State* L, int from, int to) {
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, from);  // clearing a field is allowed while the table is traversed
  }
}

// The metatable of the frozen table: the metamethods of the original one, if there is any, and those that read the
// contents. Stack: ... contents, original metatable's contents or nil -> ... metatable.
void make_metatable(lua_State* L, int contents, int original) {
  lua_newtable(L);
  if (lua_istable(L, original)) {
    lua_pushnil(L);
    while (lua_next(L, original)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
  }
  set_default(L, "__len", guarded<frozen_length>);
  set_default(L, "__pairs", guarded<frozen_pairs>);
  lua_pushvalue(L, contents);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, guarded<refuse_change>);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, contents);
  lua_rawsetp(L, -2, &contents_key);
}

std::string cannot_stay(lua_State* L) {
  if (lua_isthread(L, -1)) return "a coroutine made while the file loads cannot be kept for the runs of a rule";
  // Our own immutable values have a metatable that says so.
  if (luaL_getmetafield(L, -1, "__immutable") != LUA_TNIL) {
    lua_pop(L, 1);
    return {};
  }
  return "an iterator made while the file loads cannot be kept for the runs of a rule";
}

}  // namespace

bool is_frozen(lua_State* L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  const bool frozen = lua_rawgetp(L, -1, &contents_key) == LUA_TTABLE;
  lua_pop(L, 2);
  return frozen;
}

void push_contents(lua_State* L, int index) {
  index = lua_absindex(L, index);
  if (lua_getmetatable(L, index)) {
    if (lua_rawgetp(L, -1, &contents_key) == LUA_TTABLE) {
      lua_remove(L, -2);
      return;
    }
    lua_pop(L, 2);
  }
  lua_pushvalue(L, index);
}

std::string freeze(lua_State* L, int first) {
  const int top = lua_gettop(L);
  luaL_checkstack(L, 20, nullptr);
  Walk walk(L);
  for (int i = first; i <= top; ++i) {
    lua_pushvalue(L, i);
    walk.add();
  }
  lua_newtable(L);
  const int tables = lua_gettop(L);
  lua_Integer count = 0;
  while (walk.next()) {
    if (lua_istable(L, -1)) {
      if (is_frozen(L, -1) || walk.is_hidden(-1)) {
        lua_pop(L, 1);
      } else {
        lua_rawseti(L, tables, ++count);
      }
      continue;
    }
    std::string complaint = lua_isfunction(L, -1) ? std::string() : cannot_stay(L);
    if (!complaint.empty()) {
      lua_settop(L, top);
      return complaint;
    }
    lua_pop(L, 1);
  }

  // First every table gets its hidden one, then the metatables are set: a table may be its own metatable, or another's.
  push_registry_table(L, &owners_key);
  const int owners = lua_gettop(L);
  lua_newtable(L);
  const int contents = lua_gettop(L);
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_newtable(L);
    lua_rawgeti(L, tables, i);
    move_contents(L, lua_gettop(L), lua_gettop(L) - 1);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, owners);  // owners[hidden] = table
    lua_pushvalue(L, -2);
    lua_rawset(L, contents);  // contents[table] = hidden
    lua_pop(L, 1);
  }
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(L, tables, i);
    const int table = lua_gettop(L);
    lua_pushvalue(L, table);
    lua_rawget(L, contents);
    if (!lua_getmetatable(L, table)) lua_pushnil(L);
    // The metatable itself may have been frozen a moment ago, or earlier: metamethods are looked up in what it holds.
    lua_pushvalue(L, -1);
    if (lua_istable(L, -1) && lua_rawget(L, contents) == LUA_TTABLE) {
      lua_replace(L, -2);
    } else {
      lua_pop(L, 1);
      push_contents(L, -1);
      lua_replace(L, -2);
    }
    if (lua_istable(L, -1)) {
      lua_pushvalue(L, -1);
      lua_setmetatable(L, table + 1);
    }
    make_metatable(L, table + 1, table + 2);
    lua_setmetatable(L, table);
    lua_settop(L, table - 1);
  }
  lua_settop(L, top);
  return {};
}

std::vector<Upvalue> find_upvalues(lua_State* L, const void* except) {
  const int function = lua_gettop(L);
  luaL_checkstack(L, 20, nullptr);
  std::vector<Upvalue> found;
  std::unordered_set<const void*> ids{except};
  Walk walk(L);
  lua_pushvalue(L, function);
  walk.add();
  while (walk.next()) {
    if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1)) {
      for (int i = 1; const void* id = lua_upvalueid(L, -1, i); ++i) {
        if (!ids.insert(id).second) continue;
        Upvalue upvalue;
        upvalue.number = i;
        lua_pushvalue(L, -1);
        upvalue.function = luaL_ref(L, LUA_REGISTRYINDEX);
        lua_getupvalue(L, -1, i);
        upvalue.value = luaL_ref(L, LUA_REGISTRYINDEX);
        found.push_back(upvalue);
      }
    }
    lua_pop(L, 1);
  }
  lua_settop(L, function);
  return found;
}

}  // namespace sallyport::lua
