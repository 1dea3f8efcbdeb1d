// Which header fields a rule may add, replace and remove, and what it may write into them (threats.md L8, S37).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

inline constexpr std::size_t most_field_octets = 900;  // a line may have 998 (RFC 5322, 2.1.1)

// Raises an error that begins with `where` when rules may not change the fields of this name.
void check_field_name(lua_State* L, const char* where, std::string_view name);
// Of the fields that readers act upon, rules may write the subject alone: it is shown as text, and the checks have seen
// that of the sender.
bool is_subject(std::string_view name);
// Raises an error when the value has controls, is not UTF-8, or is too long.
void check_field_value(lua_State* L, const char* where, std::string_view name, std::string_view value);
// The field, if a rule may add it; else raises an error.
std::pair<std::string, std::string> checked_field(lua_State* L, const char* where, std::string_view name,
                                                  std::string_view value);

}  // namespace sallyport::lua
