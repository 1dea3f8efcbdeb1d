// The string library. Functions whose cost is linear in their arguments are Lua's own; patterns and string.rep are
// ours.
#include <algorithm>
#include <cstring>
#include <string>

#include "lua/engine/context.h"
#include "lua/engine/libraries.h"
#include "lua/engine/pattern.h"

namespace sallyport::lua {

namespace {

constexpr std::string_view special_characters = "^$*+?.([%-";
constexpr std::uint64_t octets_per_step = 16;

// Converts Lua's `init` to an offset: 1 is the first octet, -1 the last. An offset past the end means nothing to
// search.
std::size_t start_offset(lua_Integer init, std::size_t length) {
  if (init > 0) return static_cast<std::size_t>(init) - 1;
  if (init == 0) return 0;
  const auto back = ~static_cast<std::uint64_t>(init) + 1;
  return back > length ? 0 : length - back;
}

bool take_anchor(std::string_view& pattern) {
  if (!pattern.starts_with('^')) return false;
  pattern.remove_prefix(1);
  return true;
}

// memmem() takes linear time; Lua's own search, which compares at every position, does not.
int find_plain(lua_State* L, std::string_view subject, std::string_view wanted, std::size_t from) {
  Context::of(L).meter.spend(L, (subject.size() + wanted.size()) / octets_per_step);
  const std::string_view rest = subject.substr(from);
  const void* found = ::memmem(rest.data(), rest.size(), wanted.data(), wanted.size());
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  const std::ptrdiff_t at = static_cast<const char*>(found) - subject.data();
  lua_pushinteger(L, at + 1);
  lua_pushinteger(L, at + static_cast<std::ptrdiff_t>(wanted.size()));
  return 2;
}

int search(lua_State* L, bool find) {
  const std::string_view subject = check_text(L, 1);
  std::string_view pattern = check_text(L, 2);
  const std::size_t from = start_offset(luaL_optinteger(L, 3, 1), subject.size());
  if (from > subject.size()) {
    lua_pushnil(L);
    return 1;
  }
  const bool plain = find && (lua_toboolean(L, 4) || pattern.find_first_of(special_characters) == pattern.npos);
  if (plain) return find_plain(L, subject, pattern, from);

  const bool anchored = take_anchor(pattern);
  PatternMatch match(L, subject, pattern);
  const char* const last = subject.data() + subject.size();
  for (const char* start = subject.data() + from; start <= last; ++start) {
    if (const char* end = match.match_at(start)) {
      const std::string_view whole(start, static_cast<std::size_t>(end - start));
      if (!find) return match.push_captures(whole);
      lua_pushinteger(L, start - subject.data() + 1);
      lua_pushinteger(L, end - subject.data());
      return match.captures() > 0 ? 2 + match.push_captures(whole) : 2;
    }
    if (anchored) break;
  }
  lua_pushnil(L);
  return 1;
}

int find(lua_State* L) { return search(L, true); }
int match(lua_State* L) { return search(L, false); }

struct Progress {
  std::size_t at;
  std::size_t last_end;  // npos before the first match; an empty match directly after the previous match is skipped
};

int next_match(lua_State* L) {
  const std::string_view subject = to_text(L, lua_upvalueindex(1));
  const std::string_view pattern = to_text(L, lua_upvalueindex(2));
  auto& progress = *static_cast<Progress*>(lua_touserdata(L, lua_upvalueindex(3)));
  PatternMatch match(L, subject, pattern);
  for (; progress.at <= subject.size(); ++progress.at) {
    const char* const start = subject.data() + progress.at;
    const char* const end = match.match_at(start);
    if (!end) continue;
    const auto end_offset = static_cast<std::size_t>(end - subject.data());
    if (end_offset == progress.last_end) continue;
    progress.at = progress.last_end = end_offset;
    return match.push_captures({start, static_cast<std::size_t>(end - start)});
  }
  return 0;
}

int gmatch(lua_State* L) {
  const std::size_t length = check_text(L, 1).size();
  check_text(L, 2);
  const std::size_t from = start_offset(luaL_optinteger(L, 3, 1), length);
  lua_settop(L, 2);
  auto* progress = static_cast<Progress*>(lua_newuserdatauv(L, sizeof(Progress), 0));
  *progress = {std::min(from, length + 1), std::string_view::npos};
  lua_pushcclosure(L, guarded<next_match>, 3);
  return 1;
}

// Appends the replacement for one match to `result`: %0 is the match, %1 to %9 its captures, %% a percent sign.
void append_expanded(lua_State* L, std::string_view replacement, PatternMatch& match, std::string_view whole,
                     std::string& result) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '%') {
      result += replacement[i];
      continue;
    }
    const char what = ++i < replacement.size() ? replacement[i] : '\0';
    if (what == '%') {
      result += '%';
    } else if (what == '0') {
      result += whole;
    } else if (what >= '1' && what <= '9') {
      match.push_capture(what - '1', whole);
      result += check_text(L, -1);  // a position capture is a number
      lua_pop(L, 1);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
    Context::of(L).meter.claim(L, result.size());
  }
}

void append_replacement(lua_State* L, int kind, PatternMatch& match, std::string_view whole, std::string& result) {
  if (kind == LUA_TSTRING || kind == LUA_TNUMBER) {
    append_expanded(L, to_text(L, 3), match, whole, result);
    return;
  }
  if (kind == LUA_TTABLE) {
    match.push_capture(0, whole);
    lua_gettable(L, 3);
  } else {
    lua_pushvalue(L, 3);
    lua_call(L, match.push_captures(whole), 1);
  }
  if (!lua_toboolean(L, -1)) {
    result += whole;  // nil and false leave the match as it is
  } else if (lua_isstring(L, -1)) {
    result += to_text(L, -1);
  } else {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
  lua_pop(L, 1);
}

int gsub(lua_State* L) {
  const std::string_view subject = check_text(L, 1);
  std::string_view pattern = check_text(L, 2);
  const int kind = lua_type(L, 3);
  luaL_argexpected(L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TTABLE || kind == LUA_TFUNCTION, 3,
                   "string/function/table");
  const lua_Integer most = luaL_optinteger(L, 4, static_cast<lua_Integer>(subject.size()) + 1);
  if (kind == LUA_TNUMBER) lua_tolstring(L, 3, nullptr);
  const bool anchored = take_anchor(pattern);

  Meter& meter = Context::of(L).meter;
  PatternMatch match(L, subject, pattern);
  std::string result;
  const char* at = subject.data();
  const char* const last = at + subject.size();
  const char* last_end = nullptr;
  lua_Integer count = 0;
  while (count < most) {
    const char* const end = match.match_at(at);
    if (end && end != last_end) {
      ++count;
      append_replacement(L, kind, match, {at, static_cast<std::size_t>(end - at)}, result);
      meter.claim(L, result.size());
      at = last_end = end;
    } else if (at < last) {
      result += *at++;
    } else {
      break;
    }
    if (anchored) break;
  }
  result.append(at, last);
  push(L, result);
  lua_pushinteger(L, count);
  return 2;
}

int repeat(lua_State* L) {
  const std::string_view text = check_text(L, 1);
  const lua_Integer count = luaL_checkinteger(L, 2);
  const std::string_view separator = lua_isnoneornil(L, 3) ? std::string_view() : check_text(L, 3);
  const std::uint64_t one = text.size() + separator.size();
  if (count <= 0 || one == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  const auto times = static_cast<std::uint64_t>(count);
  const std::uint64_t total = times > UINT64_MAX / 2 / one ? UINT64_MAX / 2 : times * one - separator.size();
  Meter& meter = Context::of(L).meter;
  meter.claim(L, total);
  meter.spend(L, 1 + total / octets_per_step);
  std::string result;
  result.reserve(static_cast<std::size_t>(total));
  result.append(text).append(separator, 0, times > 1 ? separator.npos : 0);
  // The result so far is a whole number of periods, so appending a part of itself continues the pattern.
  while (result.size() < total) result.append(result, 0, static_cast<std::size_t>(total) - result.size());
  push(L, result);
  return 1;
}

// Lua's own string.format, which is upvalue 1, with two exceptions: %p, which shows an address, is refused, and %s
// takes tables and functions as tostring() does.
int format(lua_State* L) {
  const std::string_view pattern = check_text(L, 1);
  const int values = lua_gettop(L);
  luaL_checkstack(L, 4, nullptr);
  int value = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (++i < pattern.size() && pattern[i] == '%') continue;
    i = pattern.find_first_not_of("-+ #0123456789.", i);
    if (i == pattern.npos) break;
    ++value;
    if (pattern[i] == 'p') luaL_error(L, "invalid conversion '%%p' to 'format'");
    if (pattern[i] != 's' || value > values) continue;
    push_as_text(L, value);
    lua_replace(L, value);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, values, 1);
  return 1;
}

}  // namespace

void push_string_library(lua_State* L) {
  static constexpr const char* own[] = {"byte", "char", "len", "lower", "reverse", "sub", "upper", nullptr};
  static const luaL_Reg functions[] = {
      {"find", guarded<find>},   {"gmatch", guarded<gmatch>}, {"gsub", guarded<gsub>},
      {"match", guarded<match>}, {"rep", guarded<repeat>},    {nullptr, nullptr},
  };
  lua_newtable(L);
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  copy_functions(L, own);
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, guarded<format>, 1);
  lua_setfield(L, -3, "format");
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}

void set_string_metatable(lua_State* L) {
  static constexpr const char* arithmetic[] = {"__add", "__sub",  "__mul", "__div", "__mod",
                                               "__pow", "__idiv", "__unm", nullptr};
  lua_pushliteral(L, "");
  lua_newtable(L);
  lua_getmetatable(L, -2);
  copy_functions(L, arithmetic);
  lua_pop(L, 1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 2);
}

}  // namespace sallyport::lua
