// Checks the arguments of the C++ functions that rules call. A wrong type or an unknown option raises a Lua error, so
// that a misspelt option is found when the rule is tried, and never ignored (threats.md L8).
//
// To be called only from inside such a function, on the thread that calls it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Gives the string argument `index`; a number raises an error, although Lua itself would convert it.
std::string_view check_string(lua_State* L, int index);

// Checks that argument `index` is a table that has no fields but the `known` ones. When the argument is missing or nil,
// an empty table is put in its place.
void check_options(lua_State* L, int index, std::initializer_list<std::string_view> known);
bool has_option(lua_State* L, int table, const char* name);
// Gives the string field `name` of the table, or an empty string when the field is missing; another type raises an
// error.
std::string optional_string(lua_State* L, int table, const char* name);
// Gives the number field `name` of the table; a missing field, another type, an infinity or a NaN raises an error.
double check_number_option(lua_State* L, int table, const char* name);

// True for a valid name of a rule or check: 1 to 64 letters, digits, '_', '.' and '-'.
bool is_name(std::string_view text);

}  // namespace sallyport::lua
