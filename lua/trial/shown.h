// How values are shown to the author of a rule: in the failure of a test, and by `sallyport lua`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

// The value at `index` as it would be written: "text", { 1, { 2 }, name = "x" }, tx.client { ip = "192.0.2.1" }. Of a
// table 20 entries of each kind, and three levels; a text is cut at 500 octets. It may raise an error.
std::string shown(lua_State* L, int index);

// A text that a terminal may get: UTF-8 without control characters. What is neither is written as Lua escapes it:
// "\27[2J", "\255".
std::string harmless(std::string_view text, std::size_t most);

}  // namespace sallyport::lua
