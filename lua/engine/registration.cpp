#include "lua/engine/registration.h"

#include <string>

#include "gateway/base/ensure.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/context.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

const void* pointer(lua_State* L, int index) { return lua_touserdata(L, index); }

// The functions below have their entry of the table as upvalue 1.
int call_function(lua_State* L) {
  const auto& function = *static_cast<const Function*>(pointer(L, lua_upvalueindex(1)));
  check_arguments(L, function, 1);
  return function.call(L);
}

int call_method(lua_State* L) {
  const auto& method = *static_cast<const Function*>(pointer(L, lua_upvalueindex(1)));
  const auto& type = *static_cast<const ObjectType*>(pointer(L, lua_upvalueindex(2)));
  if (!is_object(L, 1, type)) luaL_error(L, "call this method with a colon, on a value of type %s", type.name.data());
  if (type.is_handle) check_handle(L, 1);
  check_arguments(L, method, 2);
  return method.call(L);
}

void push_function(lua_State* L, const Function& function) {
  lua_pushlightuserdata(L, const_cast<Function*>(&function));
  lua_pushcclosure(L, guarded<call_function>, 1);
}

[[noreturn]] void raise_unknown(lua_State* L, std::string_view owner, int key) {
  // The text is copied to Lua's stack before the error unwinds this frame.
  push(L, complaint_about(owner, is_text(L, key) ? to_text(L, key) : std::string_view("[?]")));
  luaL_error(L, "%s", lua_tostring(L, -1));
  broken("luaL_error came back");
}

// __index of an object. Upvalue 1: its members by name, a field as the address of its entry and a method as the
// function; upvalue 2: the type.
int index_object(lua_State* L) {
  const auto& type = *static_cast<const ObjectType*>(pointer(L, lua_upvalueindex(2)));
  lua_pushvalue(L, 2);
  const int found = lua_rawget(L, lua_upvalueindex(1));
  if (found == LUA_TNIL) raise_unknown(L, type.name, 2);
  // Rules cannot reach the metatable, so only Lua itself calls this, and argument 1 is always of the type.
  if (type.is_handle) check_handle(L, 1);
  if (found == LUA_TLIGHTUSERDATA) static_cast<const Field*>(pointer(L, -1))->push(L);
  return 1;
}

int refuse_assignment(lua_State* L) { return luaL_error(L, "this value can be read by rules, but not changed"); }

// Upvalue 1: the name of the type.
int object_to_text(lua_State* L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

// __index of sp and the libraries in it. Upvalue 1: the path.
int index_library(lua_State* L) { raise_unknown(L, to_text(L, lua_upvalueindex(1)), 2); }

void set_type_entry(lua_State* L, const char* field, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, field);
}

void push_members(lua_State* L, const ObjectType& type) {
  lua_createtable(L, 0, static_cast<int>(type.fields.size() + type.methods.size()));
  for (const Field& field : type.fields) {
    push(L, field.name);
    lua_pushlightuserdata(L, const_cast<Field*>(&field));
    lua_rawset(L, -3);
  }
  for (const Function& method : type.methods) {
    push(L, method.name);
    lua_pushlightuserdata(L, const_cast<Function*>(&method));
    lua_pushlightuserdata(L, const_cast<ObjectType*>(&type));
    lua_pushcclosure(L, guarded<call_method>, 2);
    lua_rawset(L, -3);
  }
}

void register_type(lua_State* L, const ObjectType& type) {
  lua_createtable(L, 0, 8);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  push_members(L, type);
  lua_pushlightuserdata(L, const_cast<ObjectType*>(&type));
  lua_pushcclosure(L, guarded<index_object>, 2);
  lua_setfield(L, -2, "__index");
  set_type_entry(L, "__newindex", guarded<refuse_assignment>);
  if (type.to_text) {
    set_type_entry(L, "__tostring", type.to_text);
  } else {
    push(L, type.name);
    lua_pushcclosure(L, object_to_text, 1);
    lua_setfield(L, -2, "__tostring");
  }
  push(L, type.name);
  lua_setfield(L, -2, "__name");
  if (type.destroy) set_type_entry(L, "__gc", type.destroy);
  if (type.is_constant) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "__immutable");
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &type);
}

// Pushes the table of a library, "sp" or below; makes it when it is not there yet. Index `sp` is the table of "sp".
void push_library_table(lua_State* L, int sp, std::string_view path) {
  lua_pushvalue(L, sp);
  path = path == "sp" ? std::string_view() : path.substr(3);  // after "sp."
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string name(path.substr(0, dot));
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    if (lua_getfield(L, -1, name.c_str()) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushvalue(L, -1);
      lua_setfield(L, -3, name.c_str());
    }
    lua_remove(L, -2);
  }
}

}  // namespace

void register_object_types(lua_State* L) {
  for (const ObjectType* type : object_types()) register_type(L, *type);
}

void push_sp(lua_State* L) {
  lua_newtable(L);
  const int sp = lua_gettop(L);
  for (const Library* library : libraries()) {
    push_library_table(L, sp, library->path);
    for (const Function& function : library->functions) {
      push(L, function.name);
      push_function(L, function);
      lua_rawset(L, -3);
    }
    lua_pop(L, 1);
  }
  // Only now, when nothing is looked for any more that may be missing.
  for (const Library* library : libraries()) {
    push_library_table(L, sp, library->path);
    lua_createtable(L, 0, 1);
    push(L, library->path);
    lua_pushcclosure(L, guarded<index_library>, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
}

void set_object_type(lua_State* L, const ObjectType& type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &type);
  lua_setmetatable(L, -2);
}

bool is_object(lua_State* L, int index, const ObjectType& type) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &type);
  const bool same = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return same;
}

}  // namespace sallyport::lua
