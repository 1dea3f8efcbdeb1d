// sp.re(pattern [, flags]): a regular expression by RE2, whose time is linear in the text whatever the pattern.
//
// The patterns of a file are compiled while it loads; only a few more may be compiled by a run, because their memory is not
// Lua's and is not in its budget. How much one text may cost is bounded by the size of compiled patterns and of values.
#include <new>
#include <string>

#include "gateway/base/regex.h"
#include "gateway/base/text.h"
#include "lua/engine/arguments.h"
#include "lua/engine/context.h"
#include "lua/engine/objects.h"
#include "lua/engine/sp_library.h"

namespace sallyport::lua {

namespace {

constexpr const char* regex_type = "sallyport.re";
constexpr std::size_t most_pattern_octets = 4096;
constexpr std::size_t most_memory_octets = 512 * 1024;
constexpr std::size_t most_subject_octets = 256 * 1024;
constexpr std::uint64_t compile_steps = 2000;
constexpr std::uint64_t octets_per_step = 8;

const Regex& check_regex(lua_State* L) { return *static_cast<const Regex*>(luaL_checkudata(L, 1, regex_type)); }

std::string_view check_subject(lua_State* L) {
  const std::string_view subject = check_string(L, 2);
  luaL_argcheck(L, subject.size() <= most_subject_octets, 2, "longer than 256 KiB");
  Context::of(L).meter.spend(L, 1 + subject.size() / octets_per_step);
  return subject;
}

void push_group(lua_State* L, std::string_view group) {
  if (!group.data()) {
    lua_pushnil(L);  // a group that took no part in the match
  } else {
    push(L, group);
  }
}

int test(lua_State* L) {
  const Regex& regex = check_regex(L);
  lua_pushboolean(L, regex.found_in(check_subject(L)));
  return 1;
}

// The captures; without any in the pattern, the match. nil when there is none.
int match(lua_State* L) {
  const Regex& regex = check_regex(L);
  const auto groups = regex.groups(check_subject(L));
  if (groups.empty()) {
    lua_pushnil(L);
    return 1;
  }
  const std::size_t first = groups.size() > 1 ? 1 : 0;
  luaL_checkstack(L, static_cast<int>(groups.size()), "too many captures");
  for (std::size_t i = first; i < groups.size(); ++i) push_group(L, groups[i]);
  return static_cast<int>(groups.size() - first);
}

// Where the match begins and ends, then the captures, as string.find gives them.
int find(lua_State* L) {
  const Regex& regex = check_regex(L);
  const std::string_view subject = check_subject(L);
  const auto groups = regex.groups(subject);
  if (groups.empty()) {
    lua_pushnil(L);
    return 1;
  }
  const std::ptrdiff_t start = groups[0].data() - subject.data();
  luaL_checkstack(L, static_cast<int>(groups.size()) + 1, "too many captures");
  lua_pushinteger(L, start + 1);
  lua_pushinteger(L, start + static_cast<std::ptrdiff_t>(groups[0].size()));
  for (std::size_t i = 1; i < groups.size(); ++i) push_group(L, groups[i]);
  return static_cast<int>(groups.size()) + 1;
}

int destroy(lua_State* L) {
  static_cast<Regex*>(lua_touserdata(L, 1))->~Regex();
  return 0;
}

int compile(lua_State* L) {
  const std::string_view pattern = check_string(L, 1);
  luaL_argcheck(L, pattern.size() <= most_pattern_octets, 1, "longer than 4096 octets");
  const std::string_view flags = lua_isnoneornil(L, 2) ? std::string_view() : check_string(L, 2);
  luaL_argcheck(L, flags.empty() || flags == "i", 2, "the only flag is \"i\", to ignore case");
  Context& context = Context::of(L);
  if (context.patterns_left == 0) return luaL_error(L, "too many patterns; compile them at the top of the file");
  --context.patterns_left;
  context.meter.spend(L, compile_steps);

  Regex::Options options;
  options.ignore_case = flags == "i";
  options.max_memory_bytes = most_memory_octets;
  auto regex = Regex::compile(pattern, options);
  if (!regex) {
    push(L, text::printable(regex.error().message));
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  new (lua_newuserdatauv(L, sizeof(Regex), 0)) Regex(std::move(*regex));
  luaL_setmetatable(L, regex_type);
  return 1;
}

}  // namespace

void add_regex(lua_State* L) {
  static const luaL_Reg methods[] = {
      {"test", guarded<test>}, {"match", guarded<match>}, {"find", guarded<find>}, {nullptr, nullptr}};
  push_new_metatable(L, regex_type);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__immutable");
  lua_pushcfunction(L, destroy);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, guarded<compile>);
  lua_setfield(L, -2, "re");
}

}  // namespace sallyport::lua
