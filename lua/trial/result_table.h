// What t.run gives of a rule's run, as tables. README.md of lua/ has their fields.
#pragma once

#include <cstddef>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/rule_set.h"
#include "lua/trial/web_table.h"
#include "lua/trial/world.h"

namespace sallyport::lua {

// The verdict: { verdict =, score =, ... }.
void push_result(lua_State* L, const RunResult& result);
// { "info: text", ... }
void push_log(lua_State* L, const std::vector<LogLine>& lines);
// The questions to web servers from `first` on, with what was sent: { { method =, url =, body =, headers = }, ... }.
void push_requests(lua_State* L, const WebTable& web, std::size_t first);

}  // namespace sallyport::lua
