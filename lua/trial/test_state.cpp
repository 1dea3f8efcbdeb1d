#include "lua/trial/test_state.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/base/byte_order_mark.h"
#include "gateway/base/ensure.h"
#include "gateway/base/result.h"
#include "gateway/base/text.h"
#include "lua/engine/libraries.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_source_octets = 1 << 20;
constexpr const char* modules_key = "sallyport.trial.modules";
constexpr const char* globals_key = "sallyport.trial.globals";

Result<std::string> read_source(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) return Failure{"cannot be read"};
  if (size > most_source_octets) return Failure{"is larger than 1 MiB"};
  const std::string source(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>{});
  return std::string(without_byte_order_mark(source));
}

// require: the two modules of ours, and files of the directory that have no rules.
int require(lua_State* L) {
  const std::string name(check_text(L, 1));
  lua_getfield(L, LUA_REGISTRYINDEX, modules_key);
  const int modules = lua_gettop(L);
  if (lua_getfield(L, modules, name.c_str()) != LUA_TNIL) return 1;
  const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(),
                                                     [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; });
  if (!is_plain) return luaL_error(L, "no such module");
  auto& bench = *static_cast<TestBench*>(lua_touserdata(L, lua_upvalueindex(1)));
  if (!push_chunk(L, bench.folder, name + ".lua")) return lua_error(L);
  lua_call(L, 0, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, modules, name.c_str());
  return 1;
}

// Argument 1: the TestBench.
int set_up(lua_State* L) {
  auto& bench = *static_cast<TestBench*>(lua_touserdata(L, 1));
  register_object_types(L);
  lua_newtable(L);
  push_sp(L);
  lua_setfield(L, -2, "sallyport");
  push_test_library(L, bench);
  lua_setfield(L, -2, "sallyport.test");
  lua_setfield(L, LUA_REGISTRYINDEX, modules_key);
  push_globals(L);
  lua_pushlightuserdata(L, &bench);
  lua_pushcclosure(L, guarded<require>, 1);
  lua_setfield(L, -2, "require");
  lua_getfield(L, -1, LUA_STRLIBNAME);
  set_string_metatable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, globals_key);
  return 0;
}

}  // namespace

void push_module(lua_State* L, const char* name) {
  lua_getfield(L, LUA_REGISTRYINDEX, modules_key);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

void push_environment(lua_State* L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_getfield(L, LUA_REGISTRYINDEX, globals_key);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

bool push_chunk(lua_State* L, const std::string& folder, const std::string& name) {
  const auto source = read_source(fs::path(folder) / name);
  if (!source) {
    push(L, name + ": " + source.error().message);
    return false;
  }
  if (luaL_loadbufferx(L, source->data(), source->size(), ("@" + name).c_str(), "t") != LUA_OK) return false;
  push_environment(L);
  lua_setupvalue(L, -2, 1);
  return true;
}

void set_up_state(lua_State* L, TestBench& bench) {
  lua_pushcfunction(L, guarded<set_up>);
  lua_pushlightuserdata(L, &bench);
  ensure(lua_pcall(L, 1, 0, 0) == LUA_OK, "trial: the test library cannot be set up");
}

}  // namespace sallyport::lua
