// The Lua state that tests, and `sallyport lua`, execute in: the language and libraries of rules, `require` for modules
// of the rule path, and sallyport.test.
#pragma once

#include <string>

#include "lua/engine/lua_api.h"
#include "lua/trial/library.h"

namespace sallyport::lua {

// To be called once for a new state, which `bench` must outlive.
void set_up_state(lua_State* L, TestBench& bench);

// Pushes a new table of globals that reads through to those of the state.
void push_environment(lua_State* L);

// Pushes what `require` gives for one of our two modules, "sallyport" and "sallyport.test".
void push_module(lua_State* L, const char* name);

// Pushes the compiled file, with globals of its own; or what is wrong with it, and returns false.
bool push_chunk(lua_State* L, const std::string& folder, const std::string& name);

}  // namespace sallyport::lua
