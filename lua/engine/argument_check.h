// Checks the arguments of the functions that rules call against the binding table, before the function sees them
// (threats.md L8). A wrong type, an octet that does not belong there, a text or list that is too long, an unknown or
// missing field and an argument too many each raise a Lua error that says what was expected.
//
// To be called only from inside such a function, on the thread that calls it.
#pragma once

#include <string>
#include <string_view>

#include "lua/engine/bindings.h"
#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Checks the arguments from index `first` on; afterwards the stack has exactly as many as the table names. Tables that
// are frozen are replaced by their contents. `name` is how the message calls the function.
void check_arguments(lua_State* L, const Function& function, int first);

// What is wrong with the value at `index`; empty: nothing. Raises no error.
std::string objection_to(lua_State* L, int index, const Argument& argument);

// -- reading fields of a checked table: the values that were checked, whatever its metatable would give instead

// Pushes the field `name`, of a table its contents; gives its type.
int push_option(lua_State* L, int table, std::string_view name);
bool has_option(lua_State* L, int table, const char* name);
// The string field `name`; empty when it is missing.
std::string optional_string(lua_State* L, int table, const char* name);
// Pushes the contents of the list field `name`, which must be there; gives their number.
lua_Integer push_list_option(lua_State* L, int table, const char* name);

// True for a domain name, with or without a final dot, with A-labels or U-labels.
bool is_domain(std::string_view name);
// True for a valid name of a rule or check: 1 to 64 letters, digits, '_', '.' and '-'.
bool is_name(std::string_view text);

}  // namespace sallyport::lua
