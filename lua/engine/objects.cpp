#include "lua/engine/objects.h"

#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

void push_handle(lua_State* L, const ObjectType& type, const policies::Transaction& mail, std::uint32_t item) {
  auto* handle = static_cast<Handle*>(lua_newuserdatauv(L, sizeof(Handle), 0));
  *handle = {&mail, Context::of(L).run, item};
  set_object_type(L, type);
}

const Handle& handle_at(lua_State* L, int index) { return *static_cast<const Handle*>(lua_touserdata(L, index)); }

void check_handle(lua_State* L, int index) {
  if (handle_at(L, index).run != Context::of(L).run) luaL_error(L, "this value belongs to a mail that is over");
}

void push_or_nil(lua_State* L, std::string_view text) {
  if (text.empty()) {
    lua_pushnil(L);
  } else {
    push(L, text);
  }
}

}  // namespace sallyport::lua
