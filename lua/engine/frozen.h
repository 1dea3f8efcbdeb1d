// Frozen tables: tables that rule files make while they load. Later runs of rules can read them but not change them.
//
// A message may leave nothing behind for the next one (threats.md L6, I13), and rules share library tables, constants
// and helper functions. So when loading ends, every reachable table is frozen in place: its contents move to a hidden
// table, and the original becomes an empty table whose metatable reads from the hidden one. The table's identity and
// its own metamethods are kept; lookup, length, pairs and ipairs work as before, and assignment raises an error. A
// frozen table also still works as the metatable of other tables.
//
// Values that carry state but cannot be frozen, such as coroutines and iterators, are reported as errors: they would
// pass state from one run to the next.
#pragma once

#include <string>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/upvalue.h"

namespace sallyport::lua {

// Freezes every table reachable from the values between `first` and the top of the stack: through table entries,
// metatables and upvalues of functions. Returns an empty string, or a message about the first value that cannot be
// frozen; then nothing has been frozen. The stack is left as it was.
std::string freeze(lua_State* L, int first);

bool is_frozen(lua_State* L, int index);
// Pushes the table that holds the contents of the table at `index`: the hidden table of a frozen one, else the table
// itself.
void push_contents(lua_State* L, int index);
// Lists the upvalues that a call of the function on top of the stack may change: those of every Lua function reachable
// from it, each once. The upvalue whose lua_upvalueid is `except` is left out. The registry keeps a reference to the
// present value of each.
std::vector<Upvalue> find_upvalues(lua_State* L, const void* except);

}  // namespace sallyport::lua
