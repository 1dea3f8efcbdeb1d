#include "lua/engine/argument_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gateway/base/a_labels.h"
#include "gateway/base/address.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/field_name.h"
#include "gateway/base/text.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"

namespace sallyport::lua {

namespace {

std::string expected(lua_State* L, int index, std::string_view type) {
  const char* given = lua_isnone(L, index) ? "no value" : luaL_typename(L, index);
  return std::string(type) + " expected, got " + given;
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.14g", number);
  return text;
}

std::string objection_to_text(std::string_view value, const Argument& argument) {
  if (static_cast<double>(value.size()) > most_of(argument))
    return "longer than " + number_text(most_of(argument)) + " octets";
  switch (argument.kind) {
    case Kind::line:
      return std::any_of(value.begin(), value.end(), text::is_control) ? "has control characters" : "";
    case Kind::field_name:
      return is_field_name(value) ? "" : "not the name of a header field";
    case Kind::domain:
      return is_domain(value) ? "" : "not a domain name";
    case Kind::ip:
      return IpAddress::parse(value) ? "" : "not an IP address";
    default:
      return {};
  }
}

std::string objection_to_number(lua_State* L, int index, const Argument& argument) {
  const bool whole = argument.kind == Kind::integer;
  if (lua_type(L, index) != LUA_TNUMBER) return expected(L, index, whole ? "integer" : "number");
  if (whole && !lua_isinteger(L, index)) {
    int exact = 0;
    lua_tointegerx(L, index, &exact);
    if (exact == 0) return "number has no integer representation";
  }
  const double number = lua_tonumber(L, index);
  if (!std::isfinite(number)) return "not a finite number";
  const double most = most_of(argument);
  if (number < argument.least || number > most)
    return "expected a number from " + number_text(argument.least) + " to " + number_text(most);
  return {};
}

// A key of a table without entries 1 to n: such a table is no list, and its author means something by it. Empty: it has
// none, or only the `n` of table.pack().
std::string key_of_no_list(lua_State* L, int contents) {
  lua_pushnil(L);
  if (lua_next(L, contents) == 0) return {};
  lua_pop(L, 1);
  std::string key = is_text(L, -1) ? text::printable(to_text(L, -1), 64) : std::string("[?]");
  lua_pop(L, 1);
  return key == "n" ? std::string() : key;
}

std::string objection_to_list(lua_State* L, int contents, const Argument& argument) {
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, contents));
  if (static_cast<double>(count) > most_of(argument)) return "more than " + number_text(most_of(argument)) + " entries";
  if (static_cast<double>(count) < argument.least) return "fewer than " + number_text(argument.least) + " entries";
  if (count == 0) {
    if (std::string key = key_of_no_list(L, contents); !key.empty())
      return "expected a list, got the key '" + key + "'";
  }
  if (argument.items == Kind::any) return {};
  Argument item;
  item.kind = argument.items;
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(L, contents, i);
    std::string objection = objection_to(L, lua_gettop(L), item);
    lua_pop(L, 1);
    if (!objection.empty()) return "entry " + std::to_string(i) + ": " + objection;
  }
  return {};
}

std::string unknown_field(lua_State* L, const Argument& argument) {
  const std::string name = is_text(L, -1) ? text::printable(to_text(L, -1), 64) : std::string("[?]");
  std::vector<std::string> names;
  for (const Argument& field : argument.fields) names.emplace_back(field.name);
  const std::string_view near = text::did_you_mean(name, names);
  return "unknown field '" + name + "'" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?");
}

std::string objection_to_fields(lua_State* L, int contents, const Argument& argument) {
  const int top = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, contents)) {
    lua_pop(L, 1);
    const std::string_view name = is_text(L, -1) ? to_text(L, -1) : std::string_view();
    const bool known = std::any_of(argument.fields.begin(), argument.fields.end(),
                                   [name](const Argument& field) { return !name.empty() && field.name == name; });
    if (known) continue;
    std::string objection = unknown_field(L, argument);
    lua_settop(L, top);
    return objection;
  }
  for (const Argument& field : argument.fields) {
    push(L, field.name);
    lua_rawget(L, contents);
    std::string objection;
    if (!lua_isnil(L, -1)) {
      objection = objection_to(L, lua_gettop(L), field);
    } else if (field.required) {
      objection = "missing";
    }
    lua_settop(L, top);
    if (!objection.empty()) return std::string(field.name) + ": " + objection;
  }
  return {};
}

// The contents of the table at `index` are at the top of the stack.
std::string objection_to_contents(lua_State* L, const Argument& argument) {
  const int contents = lua_gettop(L);
  if (argument.kind == Kind::list) return objection_to_list(L, contents, argument);
  if (argument.kind == Kind::table) return objection_to_fields(L, contents, argument);
  return {};
}

}  // namespace

std::string objection_to(lua_State* L, int index, const Argument& argument) {
  switch (argument.kind) {
    case Kind::text:
    case Kind::line:
    case Kind::field_name:
    case Kind::domain:
    case Kind::ip:
      if (!is_text(L, index)) return expected(L, index, "string");
      return objection_to_text(to_text(L, index), argument);
    case Kind::integer:
    case Kind::number:
      return objection_to_number(L, index, argument);
    case Kind::boolean:
      return lua_isboolean(L, index) ? std::string() : expected(L, index, "boolean");
    case Kind::list:
    case Kind::table:
    case Kind::dictionary: {
      if (!lua_istable(L, index)) return expected(L, index, "table");
      luaL_checkstack(L, 8, nullptr);
      push_contents(L, index);
      std::string objection = objection_to_contents(L, argument);
      lua_pop(L, 1);
      return objection;
    }
    case Kind::function:
      return lua_isfunction(L, index) ? std::string() : expected(L, index, "function");
    case Kind::any:
      return lua_isnoneornil(L, index) ? expected(L, index, "value") : std::string();
  }
  return {};
}

void check_arguments(lua_State* L, const Function& function, int first) {
  const std::span<const Argument> arguments = arguments_of(function);
  const int last = first + static_cast<int>(arguments.size()) - 1;
  if (lua_gettop(L) > last) luaL_argerror(L, last + 1, "too many arguments");
  lua_settop(L, last);
  for (int index = first; index <= last; ++index) {
    const Argument& argument = arguments[static_cast<std::size_t>(index - first)];
    if (lua_isnil(L, index) && !argument.required) continue;
    if (const std::string objection = objection_to(L, index, argument); !objection.empty())
      luaL_argerror(L, index, objection.c_str());
    if (!lua_istable(L, index)) continue;
    push_contents(L, index);
    if (argument.kind == Kind::list) Context::of(L).meter.spend(L, 1 + lua_rawlen(L, -1));
    lua_replace(L, index);
  }
}

int push_option(lua_State* L, int table, std::string_view name) {
  table = lua_absindex(L, table);
  push(L, name);
  if (lua_rawget(L, table) == LUA_TTABLE) {
    push_contents(L, -1);
    lua_remove(L, -2);
  }
  return lua_type(L, -1);
}

bool has_option(lua_State* L, int table, const char* name) {
  const bool there = push_option(L, table, name) != LUA_TNIL;
  lua_pop(L, 1);
  return there;
}

std::string optional_string(lua_State* L, int table, const char* name) {
  push_option(L, table, name);
  std::string text(is_text(L, -1) ? to_text(L, -1) : std::string_view());
  lua_pop(L, 1);
  return text;
}

lua_Integer push_list_option(lua_State* L, int table, const char* name) {
  push_option(L, table, name);
  return static_cast<lua_Integer>(lua_rawlen(L, -1));
}

bool is_domain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (is_domain_name(name)) return true;
  return !text::is_ascii(name) && to_a_labels(name).has_value();
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return text::is_alnum(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace sallyport::lua
