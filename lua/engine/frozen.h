// Frozen: tables that were made while the rules loaded and can be read, but never changed, by what runs later.
//
// A message may leave nothing behind for the next one (threats.md L6, I13), and rules share library tables, constants
// and helper functions. So at the end of loading every table in reach is frozen where it stands: its contents move to a
// hidden table, and what is left is empty and refers to that one for reading. Identity is kept, and so are metamethods;
// lookups, length, pairs and ipairs work as before, assignment is an error. Used as a metatable, a frozen table serves
// as before.
//
// What can be frozen neither way, a coroutine above all, is an error: it would carry its state from run to run.
#pragma once

#include <string>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/upvalue.h"

namespace sallyport::lua {

// Freezes all tables in reach of the values from `first` up to the top of the stack: through tables, their metatables
// and upvalues of functions. Gives what could not be frozen, in words, or nothing. The values stay.
std::string freeze(lua_State* L, int first);

bool is_frozen(lua_State* L, int index);
// Pushes the table that holds the contents of the one at `index`: the hidden one, or itself.
void push_contents(lua_State* L, int index);
// The upvalues that calling the function on top may change: those of every Lua function in reach of it, once each.
// Those named in `except` (lua_upvalueid) are left out.
std::vector<Upvalue> find_upvalues(lua_State* L, const std::vector<const void*>& except);

}  // namespace sallyport::lua
