// sp.list: long lists in files, shared by all workers and read again when they change (io/list_files.h).
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "gateway/base/fields.h"
#include "gateway/base/text.h"
#include "gateway/io/list_files.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

using List = std::shared_ptr<const io::LiveList>;

constexpr std::uint64_t steps_per_question = 50;

// Of a program that only checks the rules.
class FixedList final : public io::LiveList {
 public:
  explicit FixedList(std::shared_ptr<const EntryList> list) : list_(std::move(list)) {}
  std::shared_ptr<const EntryList> now() const override { return list_; }

 private:
  const std::shared_ptr<const EntryList> list_;
};

const EntryList* list_at(lua_State* L, std::shared_ptr<const EntryList>& held) {
  held = (*static_cast<const List*>(lua_touserdata(L, 1)))->now();
  return held.get();
}

Result<List> open_list(const Context& context, const std::string& path, EntryKind kind) {
  if (context.services && context.services->lists) return context.services->lists->open(path, kind);
  auto read = EntryList::read(path, kind);
  if (!read) return std::move(read).error();
  return List(std::make_shared<FixedList>(std::move(*read)));
}

int list(lua_State* L) {
  Context& context = Context::of(L);
  if (!context.loading) return luaL_error(L, "sp.list is there only while a rule file loads; keep the list in a local");
  const auto kind = from_word<EntryKind>(optional_string(L, 1, "kind"));
  luaL_argcheck(L, kind.has_value(), 1, "kind: expected one of domain, address, network, word");
  const std::string path = (std::filesystem::path(context.settings->path) / optional_string(L, 1, "file")).string();
  auto opened = open_list(context, path, *kind);
  if (!opened) {
    push(L, opened.error().message);
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  new (lua_newuserdatauv(L, sizeof(List), 0)) List(std::move(*opened));
  set_object_type(L, list_type);
  return 1;
}

int contains(lua_State* L) {
  const std::string_view what = to_text(L, 2);
  Context::of(L).meter.spend(L, steps_per_question + what.size());
  std::shared_ptr<const EntryList> held;
  lua_pushboolean(L, list_at(L, held)->contains(what));
  return 1;
}

int destroy(lua_State* L) {
  static_cast<List*>(lua_touserdata(L, 1))->~List();
  return 0;
}

constexpr Field fields[] = {
    {"size", "integer", "How many entries it has now.",
     [](lua_State* L) {
       std::shared_ptr<const EntryList> held;
       lua_pushinteger(L, static_cast<lua_Integer>(list_at(L, held)->size()));
     }},
    {"kind", "string", "What it has: `\"domain\"`, `\"address\"`, `\"network\"` or `\"word\"`.",
     [](lua_State* L) {
       std::shared_ptr<const EntryList> held;
       push(L, word(list_at(L, held)->kind()));
     }},
};

constexpr Function methods[] = {
    {.name = "contains",
     .about = "Whether the list has it: a domain or one above it, an address in any case, an IP address in one of the "
              "networks, a word in any case. What is no domain or address is in no list.",
     .call = contains,
     .arguments = {{{"what", Kind::text, "Such as `tx.from.domain`.", true, 0, 1000}}},
     .returns = {{{"boolean", "found"}}}},
};

constexpr Argument list_fields[] = {
    {"file", Kind::line, "Its name, as seen from the directory of the rules.", true, 0, 1000},
    {.name = "kind",
     .kind = Kind::line,
     .about = "What stands in it.",
     .most = 16,
     .type = "\"domain\"|\"address\"|\"network\"|\"word\""},
};

constexpr Function functions[] = {
    {.name = "list",
     .about =
         "A list in a file, one entry a line, as long as it takes; `#` and `;` begin comments. Only while a file "
         "loads: "
         "keep it in a local. All workers share it. When the file changes it is read again within seconds; one that "
         "cannot be read, or has a line that is no entry, leaves the list as it was, and the log says so.",
     .call = list,
     .arguments = {{{.name = "options", .kind = Kind::table, .fields = list_fields}}},
     .returns = {{{"list", "list"}}}},
};

}  // namespace

const Library list_library{.path = "sp", .about = "Lists in files.", .functions = functions};

const ObjectType list_type{
    .name = "list",
    .about = "A list in a file.",
    .fields = fields,
    .methods = methods,
    .is_constant = true,
    .destroy = destroy,
};

}  // namespace sallyport::lua
