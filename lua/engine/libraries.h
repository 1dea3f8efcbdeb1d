// The libraries that rules may use: Lua's own without what reaches outside, hides from the meter or outlives a run.
//
// What costs more than its arguments are long is ours: patterns, string.rep, the table library; and so is everything
// that catches errors. What is left of Lua's own functions is linear in values that the meter bounds. Not there: io, os
// but for time and date, debug, package, load, dofile, loadfile, collectgarbage, print, warn, string.dump, string.pack
// and its kin, and math.random: the same mail shall get the same verdict.
#pragma once

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Pushes a new table with all globals but `require`.
void push_globals(lua_State* L);

// Each pushes, or fills, a library table; called by push_globals.
void add_base_functions(lua_State* L);  // into the table on top
void push_coroutine_library(lua_State* L);
void push_string_library(lua_State* L);
void push_table_library(lua_State* L);

// Copies the named functions (the last one null) of the table on top into the table below it.
void copy_functions(lua_State* L, const char* const* names);

}  // namespace sallyport::lua
