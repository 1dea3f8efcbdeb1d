// sp.re_set(patterns [, flags]): many regular expressions at once, by RE2.
//
// An automaton for all of them together would be quick on most texts and thousands of times slower on texts that are
// made for that, and nothing can interrupt it (threats.md M17, L2). So RE2 tells which literals a pattern needs
// (FilteredRE2), one search that is linear for every text finds those (LiteralSearch), and only patterns whose literals
// are there run, one by one, at the price that sp.re has.
#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/literal_search.h"
#include "gateway/base/text.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_patterns = 2000;
constexpr std::size_t most_pattern_octets = 4096;
constexpr std::size_t most_memory_octets = 8u << 20;    // of all patterns, and of the search for literals
constexpr std::size_t least_memory_octets = 64u << 10;  // of one pattern
constexpr int most_program_size = 2000;
constexpr int least_literal = 3;
// As in regex_library.cpp.
constexpr std::size_t most_work = 6'000'000;
constexpr std::size_t work_per_step = 16;
constexpr std::uint64_t compile_steps = 2000;

struct RegexSet {
  re2::FilteredRE2 patterns{least_literal};
  std::optional<LiteralSearch> literals;  // nothing: no pattern needs any
  std::vector<int> numbers;               // of the patterns that FilteredRE2 has
  // Patterns with letters beyond ASCII: their literals would have to be compared in all their cases.
  std::vector<std::pair<int, std::unique_ptr<RE2>>> always;
};

const RegexSet& set_at(lua_State* L) { return *static_cast<const RegexSet*>(lua_touserdata(L, 1)); }

bool is_match(lua_State* L, const RE2& regex, std::string_view text) {
  const auto program_size = static_cast<std::size_t>(regex.ProgramSize());
  if (text.size() > most_work / program_size) {
    luaL_error(L, "the text is too long for a pattern of this size; at most %d octets can be searched",
               static_cast<int>(most_work / program_size));
  }
  const bool found = regex.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
  Context::of(L).meter.spend(L, 1 + text.size() * program_size / work_per_step);
  return found;
}

// The two letters beyond ASCII that are cases of ASCII ones, as those. Empty: the text has none.
std::string without_odd_cases(std::string_view text) {
  constexpr std::string_view kelvin = "\xe2\x84\xaa";
  constexpr std::string_view long_s = "\xc5\xbf";
  if (text.find(kelvin) == text.npos && text.find(long_s) == text.npos) return {};
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with(kelvin) || rest.starts_with(long_s)) {
      plain += rest.starts_with(kelvin) ? 'k' : 's';
      i += rest.starts_with(kelvin) ? 2 : 1;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// The patterns that match, by number from 1, in ascending order; the first found one alone where `only_one`.
std::vector<int> matches_of(lua_State* L, bool only_one) {
  const RegexSet& set = set_at(L);
  const std::string_view text = to_text(L, 2);
  const std::string plain = without_odd_cases(text);
  Context::of(L).meter.spend(L, 1 + text.size());
  const std::vector<int> literals =
      set.literals ? set.literals->found_in(plain.empty() ? text : std::string_view(plain)) : std::vector<int>();
  std::vector<int> candidates;
  if (!set.numbers.empty()) set.patterns.AllPotentials(literals, &candidates);
  std::vector<int> found;
  for (const int candidate : candidates) {
    if (!is_match(L, set.patterns.GetRE2(candidate), text)) continue;
    found.push_back(set.numbers[static_cast<std::size_t>(candidate)]);
    if (only_one) return found;
  }
  for (const auto& [number, regex] : set.always) {
    if (!is_match(L, *regex, text)) continue;
    found.push_back(number);
    if (only_one) return found;
  }
  std::sort(found.begin(), found.end());
  return found;
}

int test(lua_State* L) {
  lua_pushboolean(L, !matches_of(L, true).empty());
  return 1;
}

int match(lua_State* L) {
  const std::vector<int> found = matches_of(L, false);
  if (found.empty()) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, static_cast<int>(found.size()), 0);
  lua_Integer count = 0;
  for (const int number : found) {
    lua_pushinteger(L, number);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

int destroy(lua_State* L) {
  std::destroy_at(static_cast<RegexSet*>(lua_touserdata(L, 1)));
  return 0;
}

[[noreturn]] void refuse(lua_State* L, lua_Integer number, const std::string& why) {
  push(L, "bad regular expression " + std::to_string(number) + ": " + text::printable(why));
  luaL_error(L, "%s", lua_tostring(L, -1));
  std::abort();  // luaL_error() does not come back
}

bool is_plain(std::string_view pattern) {
  return text::is_ascii(pattern) && pattern.find("\\x") == pattern.npos && pattern.find("\\p") == pattern.npos &&
         pattern.find("\\P") == pattern.npos && pattern.find("\\C") == pattern.npos;
}

void add(lua_State* L, RegexSet& set, lua_Integer number, const RE2::Options& options) {
  const std::string_view pattern = to_text(L, -1);
  if (pattern.size() > most_pattern_octets) refuse(L, number, "longer than 4096 octets");
  const re2::StringPiece piece(pattern.data(), pattern.size());
  const RE2* regex = nullptr;
  if (is_plain(pattern)) {
    int id = 0;
    const RE2::ErrorCode error = set.patterns.Add(piece, options, &id);
    if (error != RE2::NoError) refuse(L, number, RE2(piece, options).error());
    set.numbers.push_back(static_cast<int>(number));
    regex = &set.patterns.GetRE2(id);
  } else {
    set.always.emplace_back(static_cast<int>(number), std::make_unique<RE2>(piece, options));
    regex = set.always.back().second.get();
    if (!regex->ok()) refuse(L, number, regex->error());
  }
  if (regex->ProgramSize() > most_program_size) refuse(L, number, "pattern too large");
}

int compile(lua_State* L) {
  const std::string_view flags = lua_isnil(L, 2) ? std::string_view() : to_text(L, 2);
  luaL_argcheck(L, flags.empty() || flags == "i", 2, "the only flag is \"i\", to ignore case");
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, 1));
  Context& context = Context::of(L);
  if (context.patterns_left < static_cast<std::uint64_t>(count))
    return luaL_error(L, "too many patterns; compile them at the top of the file");
  context.patterns_left -= static_cast<std::uint64_t>(count);

  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(flags != "i");
  options.set_max_mem(static_cast<std::int64_t>(
      std::max(least_memory_octets, most_memory_octets / static_cast<std::size_t>(std::max<lua_Integer>(count, 16)))));
  // The metatable is set first: its __gc destroys the set when an error is raised below.
  RegexSet& set = *new (lua_newuserdatauv(L, sizeof(RegexSet), 0)) RegexSet();
  set_object_type(L, regex_set_type);
  for (lua_Integer number = 1; number <= count; ++number) {
    context.meter.spend(L, compile_steps);
    lua_rawgeti(L, 1, number);
    add(L, set, number, options);
    lua_pop(L, 1);
  }
  std::vector<std::string> literals;
  if (!set.numbers.empty()) set.patterns.Compile(&literals);
  if (literals.empty()) return 1;
  auto search = LiteralSearch::of(literals, most_memory_octets);
  if (!search) return luaL_error(L, "the patterns are too large to be searched together");
  set.literals = std::move(*search);
  return 1;
}

constexpr Argument searched{"text", Kind::text, "What is searched."};

constexpr Function methods[] = {
    {.name = "test",
     .about = "Whether one of the expressions matches anywhere in the text.",
     .call = test,
     .arguments = {{searched}},
     .returns = {{{"boolean", "found"}}}},
    {.name = "match",
     .about = "Which expressions match anywhere in the text.",
     .call = match,
     .arguments = {{searched}},
     .returns = {{{"integer[]?", "numbers", "their places in the list, ascending; nil: none"}}}},
};

constexpr Function functions[] = {
    {.name = "re_set",
     .about = "Compiles up to 2000 regular expressions that are searched for together: those that need a text of three "
              "letters or more cost next to nothing where it is not there. Compile at the top of the file.",
     .call = compile,
     .arguments = {{{.name = "patterns",
                     .kind = Kind::list,
                     .about = "The expressions, as of `sp.re`.",
                     .most = most_patterns,
                     .items = Kind::text},
                    {"flags", Kind::text, "`\"i\"`: the case of letters does not matter.", false, 0, 8}}},
     .returns = {{{"re_set", "set"}}}},
};

}  // namespace

const Library regex_set_library{.path = "sp", .about = "Many regular expressions at once.", .functions = functions};

const ObjectType regex_set_type{
    .name = "re_set",
    .about = "Regular expressions that are searched for together.",
    .methods = methods,
    .is_constant = true,
    .destroy = destroy,
};

}  // namespace sallyport::lua
