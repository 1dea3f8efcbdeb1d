// sp.setting(): what the configuration says to rules.
#include <string>
#include <vector>

#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/loading.h"

namespace sallyport::lua {

namespace {

int setting(lua_State* L) {
  Context& context = Context::of(L);
  if (context.loading == nullptr) return luaL_error(L, "sp.setting() can be called only while a file loads");
  const std::vector<std::string>* found = context.loading->read_list(std::string(to_text(L, 1)));
  if (found == nullptr) {
    if (lua_isnil(L, 2)) lua_newtable(L);
    return 1;
  }
  lua_createtable(L, static_cast<int>(found->size()), 0);
  lua_Integer count = 0;
  for (const std::string& entry : *found) {
    push(L, entry);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

constexpr Function functions[] = {
    {.name = "setting",
     .about =
         "What the configuration says to a rule: the entries of `policy.rules.lists.NAME`. Only while a file loads.",
     .call = setting,
     .arguments = {{{"name", Kind::line, "Such as the rule's name.", true, 0, 64},
                    {.name = "otherwise",
                     .kind = Kind::list,
                     .about = "What it gives where the configuration says nothing; else an empty list.",
                     .required = false,
                     .items = Kind::text}}},
     .returns = {{{"string[]", "entries"}}}},
};

}  // namespace

const Library setting_library{.path = "sp", .about = "Settings.", .functions = functions};

}  // namespace sallyport::lua
