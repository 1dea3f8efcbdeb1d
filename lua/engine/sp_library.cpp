#include "lua/engine/sp_library.h"

#include <algorithm>

#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

constexpr std::string_view planned_names[] = {"quarantine", "redirect", "override", "dns",  "http", "redis", "each",
                                              "all",        "list",     "re_set",   "rate", "seen", "memo",  "text"};

int index_sp(lua_State* L) {
  const std::string_view name = is_text(L, 2) ? to_text(L, 2) : std::string_view();
  raise_unknown(L, "sp", name, is_planned_sp_name(name), sp_names());
}

}  // namespace

const std::vector<std::string>& sp_names() {
  static const std::vector<std::string> names = {"rule", "reject", "tempfail", "discard", "drop",
                                                 "tag",  "accept", "hit",      "re"};
  return names;
}

bool is_planned_sp_name(std::string_view name) {
  return std::find(std::begin(planned_names), std::end(planned_names), name) != std::end(planned_names);
}

void push_sp(lua_State* L) {
  lua_newtable(L);
  add_rule_declaration(L);
  add_verdicts(L);
  add_regex(L);
  lua_newtable(L);
  lua_pushcfunction(L, guarded<index_sp>);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

}  // namespace sallyport::lua
