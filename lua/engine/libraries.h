// The libraries that rules may use: Lua's own, without functions that reach outside the process, run out of the meter's
// sight or keep state beyond a run.
//
// Functions whose cost can exceed the length of their arguments are replaced by ours: patterns, string.rep, the table
// library, and everything that catches errors. The functions kept from Lua are linear in values whose size the meter
// limits. Left out: io, os (except time and date), debug, package, load, dofile, loadfile, collectgarbage, print, warn,
// string.dump, string.pack and its relatives, and math.random, because the same mail must get the same verdict.
#pragma once

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Pushes a new table with all globals except `require`, which RuleSet adds.
void push_globals(lua_State* L);

// Pushes what tostring() gives of the value: of tables and functions without a __tostring the type's name alone.
void push_as_text(lua_State* L, int index);

// Called by push_globals(): the first adds to the table on top of the stack, the others push a new library table.
void add_base_functions(lua_State* L);
void push_coroutine_library(lua_State* L);
void push_string_library(lua_State* L);
void push_table_library(lua_State* L);

// Gives all strings, which share one metatable, the string library on top of the stack, and takes it away. To be called
// after push_string_library(): what Lua's own library has set is replaced but for the arithmetic with texts of numbers.
void set_string_metatable(lua_State* L);

// Copies functions from the table on top of the stack into the table below it. `names` ends with a null pointer.
void copy_functions(lua_State* L, const char* const* names);

}  // namespace sallyport::lua
