// sp.json: JSON to Lua values and back.
#include "lua/engine/binding_list.h"
#include "lua/engine/json_reader.h"
#include "lua/engine/json_writer.h"

namespace sallyport::lua {

namespace {

int decode(lua_State* L) {
  const char* problem = push_json(L, to_text(L, 1));
  if (!problem) return 1;
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

int encode(lua_State* L) {
  push(L, to_json(L));
  return 1;
}

constexpr Function functions[] = {
    {.name = "decode",
     .about =
         "Reads JSON, nested 64 deep at most. Members that are null are left out; in a list null is false. Of members "
         "with one name the last counts.",
     .call = decode,
     .arguments = {{{"text", Kind::text, "What a stranger may have written."}}},
     .returns = {{{"any", "value", "nil: the text is no JSON, or null"}, {"string?", "err", "what is wrong with it"}}}},
    {.name = "encode",
     .about =
         "Writes a value as JSON, objects in the order of their names. A table with the keys 1 to n is a list, any "
         "other an object, the empty one too. What is not UTF-8 becomes U+FFFD.",
     .call = encode,
     .arguments = {{{.name = "value",
                     .kind = Kind::any,
                     .about = "A string, number, boolean or table of such, nested 64 deep at most.",
                     .type = "string|number|boolean|table"}}},
     .returns = {{{"string", "text"}}}},
};

}  // namespace

const Library json_library{.path = "sp.json", .about = "JSON.", .functions = functions};

}  // namespace sallyport::lua
