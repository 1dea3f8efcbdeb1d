#include "lua/trial/library.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <new>

#include "gateway/base/text.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/libraries.h"
#include "lua/engine/registration.h"
#include "lua/trial/mail.h"
#include "lua/trial/result_table.h"
#include "lua/trial/shown.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_tests = 10'000;
constexpr std::size_t most_failures = 100;  // of one test, which may catch them
constexpr std::uint64_t most_mail_octets = 64u << 20;
constexpr const char* bench_key = "sallyport.trial";
constexpr const char* mails_key = "sallyport.trial.mail";

TestBench& bench_of(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, bench_key);
  auto& bench = *static_cast<TestBench*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  return bench;
}

// What t.check raises, so that the test ends; what is wrong has been noted before.
int fail(lua_State* L, TestBench& bench, const std::string& message) {
  const Place place = find_place(L);
  std::vector<TestFailure>& failures = bench.results[bench.current].failures;
  if (failures.size() < most_failures) failures.push_back({place.file, place.line, message});
  lua_pushlightuserdata(L, &bench);
  return lua_error(L);
}

std::string message_at(lua_State* L, int index, const std::string& otherwise) {
  return is_text(L, index) ? harmless(to_text(L, index), 1000) : otherwise;
}

// -- t.check, t.equal

int check(lua_State* L) {
  TestBench& bench = bench_of(L);
  ++bench.results[bench.current].checks;
  if (lua_toboolean(L, 1)) return 0;
  return fail(L, bench, message_at(L, 2, "the check failed"));
}

// Tables are equal when all their entries are.
bool is_equal(lua_State* L, int a, int b, int depth) {
  if (lua_rawequal(L, a, b)) return true;
  if (lua_type(L, a) != LUA_TTABLE || lua_type(L, b) != LUA_TTABLE || depth > 20) {
    return lua_type(L, a) == LUA_TNUMBER && lua_type(L, b) == LUA_TNUMBER && lua_compare(L, a, b, LUA_OPEQ) != 0;
  }
  luaL_checkstack(L, 8, nullptr);
  Context::of(L).meter.spend(L, 10);
  const auto has_all = [L, depth](int one, int other, bool compare) {
    const int top = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, one)) {
      lua_pushvalue(L, -2);
      lua_rawget(L, other);
      const int last = lua_gettop(L);
      const bool same = compare ? is_equal(L, last - 1, last, depth + 1) : !lua_isnil(L, last);
      lua_settop(L, last - 2);
      if (same) continue;
      lua_settop(L, top);
      return false;
    }
    return true;
  };
  return has_all(a, b, true) && has_all(b, a, false);
}

int equal(lua_State* L) {
  TestBench& bench = bench_of(L);
  ++bench.results[bench.current].checks;
  lua_settop(L, 3);
  if (is_equal(L, 1, 2, 0)) return 0;
  const std::string words = "expected " + shown(L, 2) + ", got " + shown(L, 1);
  return fail(L, bench, is_text(L, 3) ? message_at(L, 3, "") + ": " + words : words);
}

// -- t.mail

// What t.mail gives. Its content is no memory of Lua's, so that the meter does not see it.
struct KeptMail {
  TrialMail mail;
  std::uint64_t& octets_of_all;
};

int destroy_mail(lua_State* L) {
  auto* kept = static_cast<KeptMail*>(lua_touserdata(L, 1));
  kept->octets_of_all -= kept->mail.content.size();
  std::destroy_at(kept);
  return 0;
}

int mail(lua_State* L) {
  TestBench& bench = bench_of(L);
  TrialMail made = read_trial_mail(L, bench.folder);
  if (bench.mail_octets + made.content.size() > most_mail_octets) lua_gc(L, LUA_GCCOLLECT);
  if (bench.mail_octets + made.content.size() > most_mail_octets) {
    return luaL_error(L, "the mails that are in use take more than 64 MiB");
  }
  bench.mail_octets += made.content.size();
  void* place = lua_newuserdatauv(L, sizeof(KeptMail), 0);
  new (place) KeptMail{std::move(made), bench.mail_octets};
  lua_getfield(L, LUA_REGISTRYINDEX, mails_key);
  lua_setmetatable(L, -2);
  return 1;
}

// -- t.dns

constexpr dns::Type types[] = {dns::Type::A, dns::Type::AAAA, dns::Type::MX, dns::Type::TXT, dns::Type::PTR};

// The status that the word at the top of the stack stands for.
dns::Status read_status(lua_State* L) {
  const std::string_view said = to_text(L, -1);
  for (const dns::Status status : {dns::Status::no_data, dns::Status::nxdomain, dns::Status::servfail,
                                   dns::Status::timeout, dns::Status::budget}) {
    if (said == dns::name(status)) return status;
  }
  luaL_error(L,
             "t.dns: expected nxdomain, no_data, servfail, timeout or budget, or records; an MX is written { 10, "
             "\"mx.example\" }");
  return dns::Status::servfail;
}

// The record at the top of the stack.
dns::RecordData read_record(lua_State* L, dns::Type type) {
  if (type == dns::Type::MX) {
    if (!lua_istable(L, -1)) luaL_error(L, "t.dns: an MX is written { 10, \"mx.example\" }");
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    const lua_Integer preference = lua_tointeger(L, -2);
    if (!is_text(L, -1) || preference < 0 || preference > UINT16_MAX) {
      luaL_error(L, "t.dns: an MX is written { 10, \"mx.example\" }");
    }
    dns::Mx mx{static_cast<std::uint16_t>(preference), std::string(to_text(L, -1))};
    lua_pop(L, 2);
    return mx;
  }
  if (!is_text(L, -1)) luaL_error(L, "t.dns: expected a list of texts");
  const std::string_view value = to_text(L, -1);
  if (type != dns::Type::A && type != dns::Type::AAAA) return std::string(value);
  const auto address = IpAddress::parse(value);
  if (!address) luaL_error(L, "t.dns: not an IP address: %s", lua_tostring(L, -1));
  return *address;
}

// True for { 10, "mx.example" } at the top of the stack, as opposed to a list of such.
bool is_one_mx(lua_State* L, dns::Type type) {
  if (type != dns::Type::MX || !lua_istable(L, -1)) return false;
  const bool is_one = lua_rawgeti(L, -1, 1) == LUA_TNUMBER;
  lua_pop(L, 1);
  return is_one;
}

// The list, or the one record, at the top of the stack; takes it away.
void read_records(lua_State* L, DnsTable& table, const std::string& name, dns::Type type) {
  if (is_text(L, -1)) {
    const bool is_status = type != dns::Type::TXT && type != dns::Type::PTR && !IpAddress::parse(to_text(L, -1));
    is_status ? table.set(name, type, read_status(L)) : table.add(name, type, read_record(L, type));
  } else if (is_one_mx(L, type)) {
    table.add(name, type, read_record(L, type));
  } else {
    if (!lua_istable(L, -1)) luaL_error(L, "t.dns: expected a list of records");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; ++i) {
      table.add(name, type, read_record(L, type));
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

int dns_records(lua_State* L) {
  DnsTable& table = bench_of(L).world.dns;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    if (!is_text(L, -2)) luaL_error(L, "t.dns: expected names as keys");
    std::string name = text::to_lower(to_text(L, -2));
    if (name.ends_with('.')) name.pop_back();
    if (is_text(L, -1)) {
      table.set(name, read_status(L));
      lua_pop(L, 1);
      continue;
    }
    if (!lua_istable(L, -1)) luaL_error(L, "t.dns: expected a table of records for each name");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      const std::string kind = is_text(L, -2) ? text::to_lower(to_text(L, -2)) : std::string();
      const auto type = std::find_if(std::begin(types), std::end(types),
                                     [&](dns::Type one) { return text::to_lower(dns::name(one)) == kind; });
      if (type == std::end(types)) luaL_error(L, "t.dns: there are the types A, AAAA, MX, TXT and PTR");
      read_records(L, table, name, *type);
    }
    lua_pop(L, 1);
  }
  return 0;
}

// -- t.http

// The answer at the top of the stack, which stays there.
Result<io::HttpAnswer> read_answer(lua_State* L) {
  if (is_text(L, -1)) return Failure{std::string(to_text(L, -1))};
  if (!lua_istable(L, -1))
    luaL_error(L, "t.http: expected { status =, body =, headers = }, or a text that is the error");
  push_contents(L, -1);
  const int answer = lua_gettop(L);
  io::HttpAnswer made;
  push_option(L, answer, "status");
  if (!lua_isnil(L, -1)) {
    const lua_Integer status = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (status < 200 || status > 599) luaL_error(L, "t.http: status: expected a number from 200 to 599");
    made.status = static_cast<int>(status);
  } else {
    made.status = 200;
  }
  made.body = optional_string(L, answer, "body");
  if (has_option(L, answer, "headers")) {
    push_option(L, answer, "headers");
    if (!lua_istable(L, -1)) luaL_error(L, "t.http: headers: expected names and values");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      if (!is_text(L, -2) || !is_text(L, -1)) luaL_error(L, "t.http: headers: expected names and values");
      made.headers.emplace_back(text::to_lower(to_text(L, -2)), to_text(L, -1));
      lua_pop(L, 1);
    }
  }
  lua_settop(L, answer - 1);
  return made;
}

int http_answers(lua_State* L) {
  WebTable& web = bench_of(L).world.web();
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    if (!is_text(L, -2) || !web.set(std::string(to_text(L, -2)), read_answer(L))) {
      luaL_error(L, "t.http: expected URLs as keys, and 64 MiB at most");
    }
    lua_pop(L, 1);
  }
  return 0;
}

// -- t.list

int list_entries(lua_State* L) {
  TestBench& bench = bench_of(L);
  const std::string name(to_text(L, 1));
  std::string entries;
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; ++i) {
    entries += std::string(to_text(L, -1)) + "\n";
    lua_pop(L, 1);
  }
  // As sp.list makes it.
  const bool is_url = name.find("://") != name.npos;
  const std::string path = is_url ? name : (std::filesystem::path(bench.folder) / name).string();
  if (const auto set = bench.lists.set(path, entries); !set) {
    push(L, "t.list: " + text::printable(name, 200) + ": " + set.error().message);
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  return 0;
}

// -- t.now

int now(lua_State* L) {
  World& world = bench_of(L).world;
  if (lua_isinteger(L, 1)) world.set_now(WallTime(std::chrono::seconds(lua_tointeger(L, 1))));
  lua_pushinteger(L, std::chrono::duration_cast<std::chrono::seconds>(world.now().time_since_epoch()).count());
  return 1;
}

// -- t.run

const Rule& rule_at(lua_State* L, const RuleSet& rules) {
  const std::string_view name = to_text(L, 1);
  std::vector<std::string> known;
  for (const Rule& rule : rules.rules()) {
    if (rule.name == name) return rule;
    known.push_back(rule.name);
  }
  const std::string_view near = text::did_you_mean(name, known);
  push(L, "there is no rule '" + text::printable(name, 64) + "'" +
              (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?"));
  luaL_error(L, "%s", lua_tostring(L, -1));
  return rules.rules().front();
}

int run(lua_State* L) {
  TestBench& bench = bench_of(L);
  const Rule& rule = rule_at(L, bench.rules);
  const TrialMail* mail = trial_mail_at(L, 2);
  if (!mail) return luaL_argerror(L, 2, "expected a mail, made by t.mail");
  const std::size_t asked = bench.world.dns.asked().size();
  const std::size_t asked_web = bench.world.web().asked().size();
  const World::Outcome outcome = bench.world.run(bench.rules, rule, *mail);
  push_result(L, outcome.result);
  push_log(L, outcome.log);
  lua_setfield(L, -2, "log");
  push_requests(L, bench.world.web(), asked_web);
  lua_setfield(L, -2, "requests");
  lua_newtable(L);
  lua_Integer count = 0;
  for (std::size_t i = asked; i < bench.world.dns.asked().size(); ++i) {
    const dns::Question& question = bench.world.dns.asked()[i];
    push(L, std::string(dns::name(question.type)) + " " + question.name);
    lua_rawseti(L, -2, ++count);
  }
  for (std::size_t i = asked_web; i < bench.world.web().asked().size(); ++i) {
    push(L, bench.world.web().asked()[i].line);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "asked");
  return 1;
}

// -- t.test

int test(lua_State* L) {
  TestBench& bench = bench_of(L);
  if (bench.current != 0) return luaL_error(L, "t.test within another one");
  if (bench.results.size() >= most_tests) return luaL_error(L, "more than 10000 tests in a file");
  const auto begun = std::chrono::steady_clock::now();
  TestResult result;
  result.file = bench.results[0].file;
  result.name = harmless(to_text(L, 1), 200);
  result.line = find_place(L).line;
  bench.results.push_back(std::move(result));
  bench.current = bench.results.size() - 1;
  bench.world = World();
  bench.lists.reset();
  const int status = lua_pcall(L, 0, 0, 0);
  if (status != LUA_OK) {
    // After a breach of its budget the whole file ends, which this raises again.
    if (Context::of(L).meter.breach() == Breach::none) take_error(L, bench);
  }
  bench.results[bench.current].took = std::chrono::steady_clock::now() - begun;
  if (Context::of(L).meter.breach() == Breach::none) {
    bench.current = 0;
    bench.world = World();
    bench.lists.reset();
    bench.lists.reset();
  }
  Context::of(L).meter.pass_on(L, status);
  return 0;
}

constexpr Argument client_fields[] = {
    {"ip", Kind::ip, "", false},       {"port", Kind::integer, "", false, 1, 65535}, {"helo", Kind::line, "", false},
    {"rdns", Kind::domain, "", false}, {"fcrdns", Kind::boolean, "", false},         {"tls", Kind::any, "", false}};
constexpr Argument auth_fields[] = {{"spf", Kind::line, "", false},
                                    {"dkim", Kind::line, "", false},
                                    {"dmarc", Kind::line, "", false},
                                    {"arc", Kind::line, "", false}};
constexpr Argument mail_fields[] = {{"from", Kind::line, "", false},
                                    {"rcpt", Kind::any, "", false},
                                    {.name = "client", .kind = Kind::table, .required = false, .fields = client_fields},
                                    {.name = "auth", .kind = Kind::table, .required = false, .fields = auth_fields},
                                    {"score", Kind::number, "", false, -1e6, 1e6},
                                    {"outcome", Kind::line, "", false},
                                    {"headers", Kind::dictionary, "", false},
                                    {.name = "body", .kind = Kind::text, .required = false, .most = 10 << 20},
                                    {"eml", Kind::line, "", false},
                                    {"id", Kind::line, "", false},
                                    {"tenant", Kind::line, "", false}};

constexpr Function functions[] = {
    {.name = "test", .call = test, .arguments = {{{"name", Kind::text, ""}, {"test", Kind::function, ""}}}},
    {.name = "mail", .call = mail, .arguments = {{{.name = "mail", .kind = Kind::table, .fields = mail_fields}}}},
    {.name = "dns", .call = dns_records, .arguments = {{{"records", Kind::dictionary, ""}}}},
    {.name = "http", .call = http_answers, .arguments = {{{"answers", Kind::dictionary, ""}}}},
    {.name = "list",
     .call = list_entries,
     .arguments = {{{"name", Kind::line, ""}, {.name = "entries", .kind = Kind::list, .items = Kind::line}}}},
    {.name = "now", .call = now, .arguments = {{{"seconds", Kind::integer, "", false}}}},
    {.name = "run", .call = run, .arguments = {{{"rule", Kind::line, ""}, {"mail", Kind::any, ""}}}},
};

int call(lua_State* L) {
  const auto& function = *static_cast<const Function*>(lua_touserdata(L, lua_upvalueindex(1)));
  check_arguments(L, function, 1);
  return function.call(L);
}

int unknown(lua_State* L) {
  return luaL_error(
      L, "t.%s does not exist; there are t.test, t.mail, t.dns, t.http, t.list, t.now, t.run, t.check and t.equal",
      is_text(L, 2) ? lua_tostring(L, 2) : "[?]");
}

}  // namespace

const TrialMail* trial_mail_at(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return nullptr;
  lua_getfield(L, LUA_REGISTRYINDEX, mails_key);
  const bool is_mail = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return is_mail ? &static_cast<const KeptMail*>(lua_touserdata(L, index))->mail : nullptr;
}

void push_test_library(lua_State* L, TestBench& bench) {
  lua_pushlightuserdata(L, &bench);
  lua_setfield(L, LUA_REGISTRYINDEX, bench_key);
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, destroy_mail);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushliteral(L, "mail");
  lua_setfield(L, -2, "__name");
  lua_setfield(L, LUA_REGISTRYINDEX, mails_key);
  lua_newtable(L);
  for (const Function& function : functions) {
    push(L, function.name);
    lua_pushlightuserdata(L, const_cast<Function*>(&function));
    lua_pushcclosure(L, guarded<call>, 1);
    lua_rawset(L, -3);
  }
  // These two take any number and kind of values.
  lua_pushcfunction(L, guarded<check>);
  lua_setfield(L, -2, "check");
  lua_pushcfunction(L, guarded<equal>);
  lua_setfield(L, -2, "equal");
  lua_newtable(L);
  lua_pushcfunction(L, guarded<unknown>);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

void take_error(lua_State* L, TestBench& bench) {
  if (lua_touserdata(L, -1) != &bench) {
    TestFailure failure{bench.results[0].file, 0, "an error that is not a text"};
    if (is_text(L, -1)) failure.message = harmless(to_text(L, -1), 1000);
    // "words_test.lua:3: what", as Lua begins its messages.
    const std::size_t end = failure.message.find(": ");
    const std::size_t colon = end == std::string::npos ? end : failure.message.rfind(':', end - 1);
    if (colon != std::string::npos) {
      const std::string_view digits = std::string_view(failure.message).substr(colon + 1, end - colon - 1);
      if (const auto line = text::to_number(digits, INT32_MAX)) {
        failure.file = failure.message.substr(0, colon);
        failure.line = static_cast<int>(*line);
        failure.message.erase(0, end + 2);
      }
    }
    bench.results[bench.current].failures.push_back(std::move(failure));
  }
  lua_pop(L, 1);
}

}  // namespace sallyport::lua
