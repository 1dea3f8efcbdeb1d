// Writes Lua values as JSON (RFC 8259).
#pragma once

#include <string>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// The text of the value at the top of the stack, which stays there. A table with the keys 1 to n is a list, any other
// an object, whose members stand in the order of their names, so that the same table is always the same text. Octets
// that are not UTF-8 become U+FFFD.
//
// Raises a Lua error for what JSON cannot say, for tables nested deeper than most_json_depth, and before the text
// becomes larger than a value of Lua may be.
std::string to_json(lua_State* L);

}  // namespace sallyport::lua
