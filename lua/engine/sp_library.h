// The module that rules load with require "sallyport", usually as `sp`: sp.rule, the verdict constructors, sp.re
// (contract.md, section 8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// Pushes the module's table. Reading a name that it does not have raises an error.
void push_sp(lua_State* L);

// sp_names() lists what the module has; is_planned_sp_name() is true for names that a later version will have.
const std::vector<std::string>& sp_names();
bool is_planned_sp_name(std::string_view name);

// Each adds its functions to the table on top of the stack; called by push_sp().
void add_verdicts(lua_State* L);
void add_regex(lua_State* L);
void add_rule_declaration(lua_State* L);

}  // namespace sallyport::lua
