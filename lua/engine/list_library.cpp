// sp.list: long lists in files or on web servers, shared by all workers and read again when they change
// (io/list_files.h).
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "gateway/base/fields.h"
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/http/url.h"
#include "gateway/io/list_files.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

using List = std::shared_ptr<const io::LiveList>;

constexpr std::uint64_t steps_per_question = 50;
constexpr Duration default_refresh = std::chrono::hours(1);
constexpr Duration least_refresh = std::chrono::seconds(1);
constexpr Duration most_refresh = std::chrono::hours(24 * 30);

// Of a program that only checks the rules, and asks no web server.
class FixedList final : public io::LiveList {
 public:
  FixedList(std::shared_ptr<const EntryList> list, bool is_there) : list_(std::move(list)), is_there_(is_there) {}
  std::shared_ptr<const EntryList> now() const override { return list_; }
  bool is_there() const override { return is_there_; }

 private:
  const std::shared_ptr<const EntryList> list_;
  const bool is_there_;
};

const EntryList* list_at(lua_State* L, std::shared_ptr<const EntryList>& held) {
  held = (*static_cast<const List*>(lua_touserdata(L, 1)))->now();
  return held.get();
}

Result<List> open_file(const Context& context, const std::string& path, EntryKind kind) {
  if (context.services && context.services->lists) return context.services->lists->open(path, kind);
  auto read = EntryList::read(path, kind);
  if (!read) return std::move(read).error();
  return List(std::make_shared<FixedList>(std::move(*read), true));
}

Result<List> open_url(const Context& context, const io::ListAddress& address, EntryKind kind) {
  if (context.services && context.services->lists) return context.services->lists->open(address, kind);
  auto empty = EntryList::parse({}, kind);
  if (!empty) return std::move(empty).error();
  return List(std::make_shared<FixedList>(std::move(*empty), false));
}

// The fields `url` and `refresh`.
io::ListAddress address_at(lua_State* L, const RuleSettings& settings) {
  io::ListAddress address{optional_string(L, 1, "url"), settings.http, settings.http_ca, default_refresh};
  const auto url = http::Url::parse(address.url);
  luaL_argcheck(L, url.has_value(), 1, "url: expected https:// or http://, a host and a path");
  luaL_argcheck(L, http::is_allowed(*url, settings.http), 1, "url: its host is none of policy.rules.http");
  if (!has_option(L, 1, "refresh")) return address;
  const auto refresh = parse_duration(optional_string(L, 1, "refresh"));
  const bool is_good = refresh && *refresh >= least_refresh && *refresh <= most_refresh;
  luaL_argcheck(L, is_good, 1, "refresh: expected a time from 1 second to 30 days, such as \"1h\"");
  address.refresh = *refresh;
  return address;
}

int list(lua_State* L) {
  Context& context = Context::of(L);
  if (!context.loading) return luaL_error(L, "sp.list is there only while a rule file loads; keep the list in a local");
  const auto kind = from_word<EntryKind>(optional_string(L, 1, "kind"));
  luaL_argcheck(L, kind.has_value(), 1, "kind: expected one of domain, address, network, word");
  const bool is_file = has_option(L, 1, "file");
  luaL_argcheck(L, is_file != has_option(L, 1, "url"), 1, "expected either file or url");
  luaL_argcheck(L, !is_file || !has_option(L, 1, "refresh"), 1,
                "refresh is for a url; a file is looked at all the time");
  const RuleSettings& settings = *context.settings;
  const auto path = [&] { return (std::filesystem::path(settings.path) / optional_string(L, 1, "file")).string(); };
  auto opened = is_file ? open_file(context, path(), *kind) : open_url(context, address_at(L, settings), *kind);
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
    {"loaded", "boolean", "False: a list of a web server that has given none yet; it is empty.",
     [](lua_State* L) { lua_pushboolean(L, (*static_cast<const List*>(lua_touserdata(L, 1)))->is_there()); }},
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
    {"file", Kind::line, "Its name, as seen from the directory of the rules. Either it or `url`.", false, 1, 1000},
    {"url", Kind::line, "Where a web server has it: a host of `policy.rules.http`.", false, 1, 4000},
    {"refresh", Kind::line, "How often the web server is asked; `\"1h\"` unless said so.", false, 1, 16},
    {.name = "kind",
     .kind = Kind::line,
     .about = "What stands in it.",
     .most = 16,
     .type = "\"domain\"|\"address\"|\"network\"|\"word\""},
};

constexpr Function functions[] = {
    {.name = "list",
     .about =
         "A list in a file or on a web server, one entry a line, as long as it takes; `#` and `;` begin comments. Only "
         "while a file loads: keep it in a local. All workers share it. A file that changes is read again within "
         "seconds, a web server is asked every `refresh`. One that cannot be read, or has a line that is no entry, "
         "leaves the list as it was, over restarts too, and the log says so.",
     .call = list,
     .arguments = {{{.name = "options", .kind = Kind::table, .fields = list_fields}}},
     .returns = {{{"list", "list"}}}},
};

}  // namespace

const Library list_library{.path = "sp", .about = "Long lists.", .functions = functions};

const ObjectType list_type{
    .name = "list",
    .about = "A list in a file, or of a web server.",
    .fields = fields,
    .methods = methods,
    .is_constant = true,
    .destroy = destroy,
};

}  // namespace sallyport::lua
