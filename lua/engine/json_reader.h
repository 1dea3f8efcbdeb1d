// Reads JSON (RFC 8259) into Lua values. The text is a stranger's: nesting is bounded, every value is Lua's own and so
// counted by its allocator, and what is wrong is said without raising an error.
#pragma once

#include <string_view>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

inline constexpr int most_json_depth = 64;

// Pushes the value of the text and gives null, or pushes nothing and gives what is wrong. Members that are null are
// left out of their object, in a list null is false. Of members with one name the last counts. A number without
// fraction and exponent that fits is an integer. Half a surrogate pair becomes U+FFFD.
const char* push_json(lua_State* L, std::string_view json);

}  // namespace sallyport::lua
