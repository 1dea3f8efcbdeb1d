// Gives a Lua state the functions and object types of the binding table.
#pragma once

#include "lua/engine/bindings.h"
#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Creates the metatables of all object types. To be called once for each state, before any value of them is made.
void register_object_types(lua_State* L);
// Pushes the module that rules load with require "sallyport". Reading a name that it does not have raises an error.
void push_sp(lua_State* L);

// Sets the metatable of the userdata on top of the stack.
void set_object_type(lua_State* L, const ObjectType& type);
// True if the value at `index` is of this type.
bool is_object(lua_State* L, int index, const ObjectType& type);

}  // namespace sallyport::lua
