#include "lua/trial/shown.h"

#include <algorithm>
#include <vector>

#include "gateway/base/score_text.h"
#include "gateway/base/text.h"
#include "lua/engine/bindings.h"
#include "lua/engine/libraries.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

constexpr int deepest_shown = 3;
constexpr int deepest_object_shown = 2;
constexpr std::size_t most_entries_shown = 20;
constexpr std::size_t most_text_shown = 500;

// C0, DEL and C1, and what changes the direction of a line.
bool is_harmful(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029;
}

// Of a value of ours that has fields and no text of its own; else null.
const ObjectType* object_type_at(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || luaL_getmetafield(L, index, "__name") != LUA_TSTRING) return nullptr;
  const ObjectType* type = find_object_type(to_text(L, -1));
  lua_pop(L, 1);
  return type && type->to_text == nullptr && !type->fields.empty() ? type : nullptr;
}

// "reject 550 5.7.1 Not here", "hit, score 2".
std::string shown_verdict(const RuleVerdict& verdict) {
  const RuleFact& fact = verdict.fact;
  std::string words(word(fact.answer));
  if (fact.code != 0) words += " " + std::to_string(fact.code) + " " + fact.dsn;
  if (!fact.text.empty()) words += " " + harmless(fact.text, most_text_shown);
  if (verdict.has_score) words += ", score " + score_text(fact.score);
  if (!fact.detail.empty()) words += ", " + harmless(fact.detail, most_text_shown);
  return words;
}

std::string shown_at(lua_State* L, int index, int depth) {
  if (const RuleVerdict* verdict = to_verdict(L, index)) return shown_verdict(*verdict);
  if (is_text(L, index)) {
    std::string quoted = "\"";
    quoted += harmless(to_text(L, index), most_text_shown);
    return quoted + (to_text(L, index).size() > most_text_shown ? "\"..." : "\"");
  }
  if (const ObjectType* type = object_type_at(L, index); type && depth < deepest_object_shown) {
    std::vector<std::string> fields;
    luaL_checkstack(L, 8, nullptr);
    for (const Field& field : type->fields) {
      push(L, field.name);
      lua_gettable(L, index);
      if (!lua_isnil(L, -1)) fields.push_back(std::string(field.name) + " = " + shown_at(L, lua_gettop(L), depth + 1));
      lua_pop(L, 1);
    }
    return std::string(type->name) + " { " + text::join(fields, ", ") + " }";
  }
  if (lua_type(L, index) != LUA_TTABLE || depth >= deepest_shown) {
    push_as_text(L, index);
    std::string words = harmless(to_text(L, -1), most_text_shown);
    lua_pop(L, 1);
    return words;
  }
  luaL_checkstack(L, 8, nullptr);
  std::vector<std::string> entries;
  lua_Integer count = 0;
  while (lua_rawgeti(L, index, count + 1) != LUA_TNIL && entries.size() < most_entries_shown) {
    entries.push_back(shown_at(L, lua_gettop(L), depth + 1));
    lua_pop(L, 1);
    ++count;
  }
  lua_pop(L, 1);
  std::vector<std::string> named;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const int value = lua_gettop(L);
    const bool is_listed =
        lua_isinteger(L, value - 1) && lua_tointeger(L, value - 1) >= 1 && lua_tointeger(L, value - 1) <= count;
    if (!is_listed && named.size() < most_entries_shown) {
      const std::string key = is_text(L, value - 1)         ? harmless(to_text(L, value - 1), 100)
                              : lua_isinteger(L, value - 1) ? "[" + std::to_string(lua_tointeger(L, value - 1)) + "]"
                                                            : "[?]";
      named.push_back(key + " = " + shown_at(L, value, depth + 1));
    }
    lua_settop(L, value - 1);
  }
  std::sort(named.begin(), named.end());
  entries.insert(entries.end(), named.begin(), named.end());
  return entries.empty() ? "{}" : "{ " + text::join(entries, ", ") + " }";
}

}  // namespace

std::string harmless(std::string_view text, std::size_t most) {
  std::string safe;
  text = text.substr(0, most);
  while (!text.empty()) {
    const auto next = text::decode_utf8(text);
    if (next && !is_harmful(next->value)) {
      safe += text.substr(0, next->octets);
      text.remove_prefix(next->octets);
      continue;
    }
    const unsigned char octet = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    safe += octet == '\n' ? "\\n" : octet == '\r' ? "\\r" : octet == '\t' ? "\\t" : "\\" + std::to_string(octet);
  }
  return safe;
}

std::string shown(lua_State* L, int index) { return shown_at(L, lua_absindex(L, index), 0); }

}  // namespace sallyport::lua
