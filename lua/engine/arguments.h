// Arguments of our functions, checked strictly: the right type, no names that nobody reads (threats.md L8).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// A string proper: Lua would take a number for one.
std::string_view check_string(lua_State* L, int index);

// Checks that argument `index` is a table with only these fields, or not there (then it becomes an empty one).
void check_options(lua_State* L, int index, std::initializer_list<std::string_view> known);
bool has_option(lua_State* L, int table, const char* name);
// The string field `name`, empty when it is not there.
std::string optional_string(lua_State* L, int table, const char* name);
// The field `name`, a number neither infinite nor NaN.
double check_number_option(lua_State* L, int table, const char* name);

// A name of a rule or check: letters, digits, _ . and -, at most 64.
bool is_name(std::string_view text);

}  // namespace sallyport::lua
