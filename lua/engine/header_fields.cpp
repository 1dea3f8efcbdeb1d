#include "lua/engine/header_fields.h"

#include <algorithm>
#include <iterator>

#include "gateway/base/field_name.h"
#include "gateway/base/text.h"
#include "lua/engine/argument_check.h"

namespace sallyport::lua {

namespace {

// Fields that mail programs, or servers on the way, act on. With another of these, or without it, the mail would not
// be what the checks have seen.
constexpr std::string_view reserved_fields[] = {"from",
                                                "sender",
                                                "reply-to",
                                                "to",
                                                "cc",
                                                "bcc",
                                                "subject",
                                                "date",
                                                "message-id",
                                                "mime-version",
                                                "return-path",
                                                "received",
                                                "received-spf",
                                                "dkim-signature",
                                                "authentication-results"};
constexpr std::string_view reserved_prefixes[] = {"content-", "arc-", "resent-", "x-sallyport-"};

bool is_reserved(std::string_view name) {
  const std::string lower = text::to_lower(name);
  if (std::find(std::begin(reserved_fields), std::end(reserved_fields), lower) != std::end(reserved_fields))
    return true;
  return std::any_of(std::begin(reserved_prefixes), std::end(reserved_prefixes),
                     [&](std::string_view prefix) { return lower.starts_with(prefix); });
}

}  // namespace

void check_field_name(lua_State* L, const char* where, std::string_view name) {
  if (!is_field_name(name)) luaL_error(L, "%s: not the name of a header field", where);
  if (is_reserved(name)) luaL_error(L, "%s: a rule cannot change this field", where);
}

bool is_subject(std::string_view name) { return text::equals_ignoring_case(name, "Subject"); }

void check_field_value(lua_State* L, const char* where, std::string_view name, std::string_view value) {
  if (std::any_of(value.begin(), value.end(), text::is_control))
    luaL_error(L, "%s: the value has control characters", where);
  if (!text::is_utf8(value)) luaL_error(L, "%s: the value is not UTF-8", where);
  if (name.size() + value.size() > most_field_octets) luaL_error(L, "%s: longer than 900 octets", where);
}

std::pair<std::string, std::string> checked_field(lua_State* L, const char* where, std::string_view name,
                                                  std::string_view value) {
  check_field_name(L, where, name);
  check_field_value(L, where, name, value);
  return {std::string(name), std::string(value)};
}

}  // namespace sallyport::lua
