// The module `sallyport`: sp.rule, the verdicts, sp.re (contract.md, section 8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Pushes the module's table. Reading a name that is not in it is an error.
void push_sp(lua_State* L);

// The names the module has, and those that a later version will have.
const std::vector<std::string>& sp_names();
bool is_planned_sp_name(std::string_view name);

// The parts of it: each adds its functions to the table on top.
void add_verdicts(lua_State* L);
void add_regex(lua_State* L);
void add_rule_declaration(lua_State* L);

}  // namespace sallyport::lua
