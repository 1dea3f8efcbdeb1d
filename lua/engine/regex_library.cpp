// sp.re(pattern [, flags]): a regular expression by RE2, whose time is linear in the text whatever the pattern is.
//
// Linear time can still be long: on a text made to be slow, RE2 takes some nanoseconds for each octet and each
// instruction of the compiled pattern, and nothing can interrupt it. So the length of the text is limited: the larger
// the compiled pattern, the shorter the text (threats.md L2). That needs the size of RE2's program, which
// gateway/base/regex does not offer; so this file uses RE2 directly.
//
// The patterns of a file are compiled while it loads. A run may compile only a few more, because their memory is not
// Lua's and does not count against its budget.
#include <re2/re2.h>

#include <new>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_pattern_octets = 4096;
constexpr std::int64_t most_memory_octets = 512u << 10;
constexpr int most_program_size = 2000;
// Instructions of the program times octets of the text: about 40 ms at 7 ns each.
constexpr std::size_t most_work = 6'000'000;
constexpr std::size_t work_per_step = 16;
constexpr std::uint64_t compile_steps = 2000;

using Groups = std::vector<re2::StringPiece>;

// The expression that a method is called on.
const RE2& regex_at(lua_State* L) { return *static_cast<const RE2*>(lua_touserdata(L, 1)); }

// Searches the text (argument 2) for the expression (argument 1). The caller sizes `groups`; it receives the match and
// its captures.
bool search(lua_State* L, Groups& groups) {
  const RE2& regex = regex_at(L);
  const std::string_view text = to_text(L, 2);
  const auto program_size = static_cast<std::size_t>(regex.ProgramSize());
  if (text.size() > most_work / program_size) {
    luaL_error(L, "the text is too long for a pattern of this size; at most %d octets can be searched",
               static_cast<int>(most_work / program_size));
  }
  const bool found = regex.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, groups.data(),
                                 static_cast<int>(groups.size()));
  Context::of(L).meter.spend(L, 1 + text.size() * program_size / work_per_step);
  return found;
}

Groups all_groups(lua_State* L) { return Groups(static_cast<std::size_t>(regex_at(L).NumberOfCapturingGroups()) + 1); }

void push_group(lua_State* L, const re2::StringPiece& group) {
  if (!group.data()) {
    lua_pushnil(L);  // a group that took no part in the match
  } else {
    lua_pushlstring(L, group.data(), group.size());
  }
}

int test(lua_State* L) {
  Groups none;
  lua_pushboolean(L, search(L, none));
  return 1;
}

// Implements :match(): returns the captures, or the whole match when the pattern has none; nil when nothing matches.
int match(lua_State* L) {
  Groups groups = all_groups(L);
  if (!search(L, groups)) {
    lua_pushnil(L);
    return 1;
  }
  const std::size_t first = groups.size() > 1 ? 1 : 0;
  luaL_checkstack(L, static_cast<int>(groups.size()), "too many captures");
  for (std::size_t i = first; i < groups.size(); ++i) push_group(L, groups[i]);
  return static_cast<int>(groups.size() - first);
}

// Implements :find(): returns where the match begins and ends, then the captures, as string.find does.
int find(lua_State* L) {
  Groups groups = all_groups(L);
  if (!search(L, groups)) {
    lua_pushnil(L);
    return 1;
  }
  const std::ptrdiff_t start = groups[0].data() - to_text(L, 2).data();
  luaL_checkstack(L, static_cast<int>(groups.size()) + 1, "too many captures");
  lua_pushinteger(L, start + 1);
  lua_pushinteger(L, start + static_cast<std::ptrdiff_t>(groups[0].size()));
  for (std::size_t i = 1; i < groups.size(); ++i) push_group(L, groups[i]);
  return static_cast<int>(groups.size()) + 1;
}

int destroy(lua_State* L) {
  static_cast<RE2*>(lua_touserdata(L, 1))->~RE2();
  return 0;
}

int compile(lua_State* L) {
  const std::string_view pattern = to_text(L, 1);
  const std::string_view flags = lua_isnil(L, 2) ? std::string_view() : to_text(L, 2);
  luaL_argcheck(L, flags.empty() || flags == "i", 2, "the only flag is \"i\", to ignore case");
  Context& context = Context::of(L);
  if (context.patterns_left == 0) return luaL_error(L, "too many patterns; compile them at the top of the file");
  --context.patterns_left;
  context.meter.spend(L, compile_steps);

  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(flags != "i");
  options.set_max_mem(most_memory_octets);
  // The metatable is set first: its __gc destroys the RE2 object when an error is raised below.
  void* place = lua_newuserdatauv(L, sizeof(RE2), 0);
  const RE2& regex = *new (place) RE2(re2::StringPiece(pattern.data(), pattern.size()), options);
  set_object_type(L, regex_type);
  if (!regex.ok()) {
    push(L, text::printable(regex.error()));
    return luaL_error(L, "bad regular expression: %s", lua_tostring(L, -1));
  }
  if (regex.ProgramSize() > most_program_size) return luaL_error(L, "bad regular expression: pattern too large");
  return 1;
}

constexpr Argument searched{"text", Kind::text, "What is searched."};

constexpr Function methods[] = {
    {.name = "test",
     .about = "Whether the expression matches anywhere in the text.",
     .call = test,
     .arguments = {{searched}},
     .returns = {{{"boolean", "found"}}}},
    {.name = "match",
     .about = "The captures of the first match, or the whole match where the expression has none.",
     .call = match,
     .arguments = {{searched}},
     .returns = {{{"string?", "capture", "nil: no match"}, {"string?...", "more"}}}},
    {.name = "find",
     .about = "Where the first match begins and ends, then its captures.",
     .call = find,
     .arguments = {{searched}},
     .returns = {{{"integer?", "first", "nil: no match"}, {"integer?", "last"}, {"string?...", "captures"}}}},
};

constexpr Function functions[] = {
    {.name = "re",
     .about =
         "Compiles a regular expression in RE2's syntax: no back references, and no text that makes it hang. Compile "
         "at the top of the file: a run may compile 16. The larger a pattern is, the shorter the text that it may "
         "search (60 KB for a hundred instructions, which is a dozen words).",
     .call = compile,
     .arguments = {{{"pattern", Kind::text, "The expression.", true, 0, most_pattern_octets},
                    {"flags", Kind::text, "`\"i\"`: the case of letters does not matter.", false, 0, 8}}},
     .returns = {{{"re", "re"}}}},
};

}  // namespace

const Library regex_library{.path = "sp", .about = "Regular expressions.", .functions = functions};

const ObjectType regex_type{
    .name = "re",
    .about = "A compiled regular expression.",
    .methods = methods,
    .is_constant = true,
    .destroy = destroy,
};

}  // namespace sallyport::lua
