#include "lua/trial/result_table.h"

#include <string>
#include <string_view>

#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

void set_text(lua_State* L, const char* name, const std::string& value) {
  if (value.empty()) return;
  push(L, value);
  lua_setfield(L, -2, name);
}

std::string_view kind_of(RunResult::Kind kind) {
  if (kind == RunResult::Kind::timeout) return "rule_timeout";
  return kind == RunResult::Kind::memory ? "rule_memory" : "rule_error";
}

void set_failure(lua_State* L, const RunResult& result) {
  set_text(L, "kind", std::string(kind_of(result.kind)));
  set_text(L, "file", result.fact.file);
  lua_pushinteger(L, result.fact.line);
  lua_setfield(L, -2, "line");
  set_text(L, "error", result.error);
}

// What the rule does to fields that came with the mail: { { name =, value =, n = }, ... }.
void set_edits(lua_State* L, const RuleFact& fact) {
  lua_createtable(L, static_cast<int>(fact.header_edits.size()), 0);
  lua_Integer count = 0;
  for (const policies::HeaderEdit& edit : fact.header_edits) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", edit.name);
    if (edit.value) {
      push(L, *edit.value);  // an empty one, too, is a value
      lua_setfield(L, -2, "value");
    }
    if (edit.which != 0) {
      lua_pushinteger(L, static_cast<lua_Integer>(edit.which));
      lua_setfield(L, -2, "n");
    }
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "edits");
}

void set_way(lua_State* L, const RuleFact& fact) {
  set_text(L, "upstream", fact.redirect);
  if (fact.answer != RuleAnswer::override_check) return;
  set_text(L, "check", fact.override_check);
  set_text(L, "to", std::string(fact.override_to == policies::Action::none ? "relay" : word(fact.override_to)));
}

}  // namespace

void push_result(lua_State* L, const RunResult& result) {
  const RuleFact& fact = result.fact;
  lua_createtable(L, 0, 8);
  lua_Integer whole = 0;
  lua_numbertointeger(fact.score, &whole) && static_cast<double>(whole) == fact.score ? lua_pushinteger(L, whole)
                                                                                      : lua_pushnumber(L, fact.score);
  lua_setfield(L, -2, "score");
  if (result.kind == RunResult::Kind::silent) {
    set_text(L, "verdict", "none");
    return;
  }
  if (result.kind != RunResult::Kind::verdict) {
    set_text(L, "verdict", "error");
    set_failure(L, result);
    return;
  }
  set_text(L, "verdict", std::string(word(fact.answer)));
  set_text(L, "detail", fact.detail);
  set_text(L, "text", fact.text);
  set_text(L, "dsn", fact.dsn);
  set_text(L, "subject_prefix", fact.subject_prefix);
  if (fact.code != 0) {
    lua_pushinteger(L, fact.code);
    lua_setfield(L, -2, "code");
  }
  lua_newtable(L);
  for (const auto& [name, value] : fact.add_headers) {
    push(L, value);
    lua_setfield(L, -2, name.c_str());
  }
  lua_setfield(L, -2, "headers");
  set_edits(L, fact);
  set_way(L, fact);
  lua_newtable(L);
  lua_Integer count = 0;
  for (const std::string& skipped : fact.skip) {
    push(L, skipped);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "skip");
}

void push_log(lua_State* L, const std::vector<LogLine>& lines) {
  constexpr std::string_view levels[] = {"debug", "info", "warning", "error"};
  lua_newtable(L);
  lua_Integer count = 0;
  for (const LogLine& line : lines) {
    push(L, std::string(levels[static_cast<std::size_t>(line.level)]) + ": " + line.text);
    lua_rawseti(L, -2, ++count);
  }
}

void push_requests(lua_State* L, const WebTable& web, std::size_t first) {
  lua_newtable(L);
  lua_Integer count = 0;
  for (std::size_t i = first; i < web.asked().size(); ++i) {
    const WebTable::Asked& asked = web.asked()[i];
    lua_createtable(L, 0, 4);
    set_text(L, "method", asked.line.substr(0, asked.line.find(' ')));
    set_text(L, "url", asked.line.substr(asked.line.find(' ') + 1));
    set_text(L, "body", asked.body);
    lua_newtable(L);
    for (const auto& [name, value] : asked.headers) set_text(L, name.c_str(), value);
    lua_setfield(L, -2, "headers");
    lua_rawseti(L, -2, ++count);
  }
}

}  // namespace sallyport::lua
