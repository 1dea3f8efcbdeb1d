#include "lua/engine/run.h"

#include <algorithm>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

constexpr std::uint64_t most_block_octets = 1u << 20;
constexpr std::uint64_t patterns_per_run = 16;
constexpr std::size_t most_error_shown = 1000;

}  // namespace

Run::Run(Engine& engine, const Rule& rule, const RunCase& of)
    : engine_(engine), rule_(rule), case_(of), number_(++engine.runs), patterns_left_(patterns_per_run) {
  if (of.context) waiting_.emplace(*of.context);
  if (!of.notes) own_notes_ = std::make_unique<MailNotes>();
}

Run::~Run() {
  lua_State* L = engine_.L;
  become(State::ended);
  if (engine_.installed == this) restore_variables(L);
  engine_.drop_thread(thread_);
  luaL_unref(L, LUA_REGISTRYINDEX, values_reference_);
}

// -- slices

Duration Run::cpu_allowed() const {
  const RuleSettings& settings = engine_.settings;
  if (!case_.mail_cpu) return settings.cpu;
  return std::min(settings.cpu, used_.cpu + settings.cpu_per_mail - std::min(settings.cpu_per_mail, *case_.mail_cpu));
}

Run::State Run::go_on(Duration slice) {
  ensure(state_ != State::ended, "Lua: a run that has ended goes on");
  lua_State* L = engine_.L;
  slice_ = case_.context ? slice : Duration::zero();
  if (used_.cpu >= cpu_allowed()) {
    give_up();
    return state_;
  }
  Context& context = engine_.context;
  context.facts = &case_.facts;
  context.gathering = case_.context;
  context.rule = &rule_;
  context.mail = &case_.mail;
  context.allowance = case_.allowance;
  context.notes = case_.notes ? case_.notes : own_notes_.get();
  context.run = number_;
  context.changes = rule_.stage == policies::Stage::done ? nullptr : &changes_;
  context.patterns_left = patterns_left_;
  context.waiting = waiting_ ? &*waiting_ : nullptr;
  context.can_yield = true;
  context.host_yield = HostYield::none;
  context.raised_by_rule = context.raised_by_engine = 0;
  const std::uint64_t before = engine_.octets_in_use();
  const Duration cpu_before = used_.cpu;

  lua_pushcfunction(L, guarded<&Run::slice>);
  lua_pushlightuserdata(L, this);
  const int status = lua_pcall(L, 1, 0, 0);
  lua_settop(L, 0);
  if (status != LUA_OK) {
    // The error came from the code around the rule, in most cases because memory ran out there.
    context.meter.stop();
    end_as(status == LUA_ERRMEM ? RunResult::Kind::memory : RunResult::Kind::error, {rule_.file.c_str(), rule_.line});
  }
  if (case_.mail_cpu) *case_.mail_cpu += used_.cpu - cpu_before;
  patterns_left_ = context.patterns_left;
  context.forget_run();
  engine_.collect_garbage(engine_.octets_in_use() - std::min(before, engine_.octets_in_use()));
  return state_;
}

int Run::slice(lua_State* L) {
  Run& run = *static_cast<Run*>(lua_touserdata(L, 1));
  lua_settop(L, 0);
  run.execute(L);
  return 0;
}

void Run::execute(lua_State* L) {
  const bool is_first = state_ == State::ready;
  if (is_first) {
    begin(L);
  } else {
    install(L);
  }
  Meter& meter = engine_.context.meter;
  int results = 0;
  meter.start(thread_.L, {cpu_allowed(), engine_.settings.memory, most_block_octets, slice_}, used_);
  const int status = lua_resume(thread_.L, L, is_first ? 1 : 0, &results);
  used_ = meter.stop();
  const HostYield yield = std::exchange(engine_.context.host_yield, HostYield::none);
  if (status == LUA_YIELD && yield != HostYield::none && used_.breach == Breach::none) {
    lua_pop(thread_.L, results);
    suspend(L);
    become(yield == HostYield::waits ? State::waits : State::pauses);
  } else {
    finish(status, results);
  }
}

// Each run gets a new table of globals, which reads through to the globals that the file had after loading.
void Run::begin(lua_State* L) {
  if (engine_.installed) engine_.installed->uninstall(L);
  const RuleFile& file = engine_.files[rule_.file_index];
  thread_ = engine_.take_thread();
  lua_rawgeti(L, LUA_REGISTRYINDEX, file.chunk);
  lua_newtable(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, file.run_environment);
  lua_setmetatable(L, -2);
  lua_setupvalue(L, -2, 1);
  lua_pop(L, 1);
  engine_.installed = this;
  lua_rawgeti(L, LUA_REGISTRYINDEX, rule_.run);
  push_transaction(L, case_.mail);
  lua_xmove(L, thread_.L, 2);
}

// What the run needs to go on later is kept; the table is large enough, so that filling it will not fail.
void Run::suspend(lua_State* L) {
  if (values_reference_ != no_reference) return;
  lua_createtable(L, static_cast<int>(rule_.upvalues.size()), 1);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 0);
  values_reference_ = luaL_ref(L, LUA_REGISTRYINDEX);
}

void Run::finish(int status, int results) {
  if (status != LUA_OK || used_.breach != Breach::none) {
    read_failure(status);
    return;
  }
  read_result(results);
  take_changes();
  complete_result();
  lua_settop(thread_.L, 0);
  engine_.keep_thread(std::exchange(thread_, {}));
}

// -- the files' variables

void Run::install(lua_State* L) {
  if (engine_.installed == this) return;
  if (engine_.installed) engine_.installed->uninstall(L);
  engine_.installed = this;
  lua_rawgeti(L, LUA_REGISTRYINDEX, values_reference_);
  lua_rawgeti(L, LUA_REGISTRYINDEX, engine_.files[rule_.file_index].chunk);
  lua_rawgeti(L, -2, 0);
  lua_setupvalue(L, -2, 1);
  lua_pop(L, 1);
  lua_Integer place = 0;
  for (const Upvalue& upvalue : rule_.upvalues) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.function);
    lua_rawgeti(L, -2, ++place);
    lua_setupvalue(L, -2, upvalue.number);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void Run::uninstall(lua_State* L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, values_reference_);
  lua_rawgeti(L, LUA_REGISTRYINDEX, engine_.files[rule_.file_index].chunk);
  lua_getupvalue(L, -1, 1);
  lua_rawseti(L, -3, 0);
  lua_pop(L, 1);
  lua_Integer place = 0;
  for (const Upvalue& upvalue : rule_.upvalues) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.function);
    lua_getupvalue(L, -1, upvalue.number);
    lua_rawseti(L, -3, ++place);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  restore_variables(L);
}

void Run::restore_variables(lua_State* L) {
  for (const Upvalue& upvalue : rule_.upvalues) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.value);
    lua_setupvalue(L, -2, upvalue.number);
    lua_pop(L, 1);
  }
  engine_.installed = nullptr;
}

// -- results

void Run::read_result(int results) {
  lua_State* L = thread_.L;
  const int first = results > 0 ? lua_gettop(L) - results + 1 : 0;
  if (first == 0 || lua_isnil(L, first)) return;
  if (lua_isboolean(L, first)) {
    if (!lua_toboolean(L, first)) return;
    result_.kind = RunResult::Kind::verdict;
    result_.fact.answer = RuleAnswer::hit;
    result_.fact.score = rule_.score;
  } else if (const RuleVerdict* verdict = to_verdict(L, first)) {
    result_.kind = RunResult::Kind::verdict;
    result_.fact = verdict->fact;
    if (result_.fact.answer == RuleAnswer::hit && !verdict->has_score) result_.fact.score = rule_.score;
  } else {
    // The rule has already returned, so the only line left to report is where its function begins.
    lua_Debug function;
    lua_rawgeti(L, LUA_REGISTRYINDEX, rule_.run);
    lua_getinfo(L, ">S", &function);
    result_.kind = RunResult::Kind::error;
    result_.fact.file = function.source + 1;
    result_.fact.line = function.linedefined;
    result_.fact.error = std::string("it returned a ") + luaL_typename(L, first) + ", which is no verdict";
    result_.error = result_.fact.error;
  }
}

// Changes stand before those of the verdict that the rule returns.
void Run::take_changes() {
  if (changes_.count() == 0 || result_.kind == RunResult::Kind::error) return;
  if (result_.kind == RunResult::Kind::silent) {
    result_.kind = RunResult::Kind::verdict;
    result_.fact.answer = RuleAnswer::change;
  }
  auto& added = result_.fact.add_headers;
  added.insert(added.begin(), changes_.add_headers.begin(), changes_.add_headers.end());
  result_.fact.header_edits = std::move(changes_.header_edits);
}

void Run::read_failure(int status) {
  RunResult::Kind kind = RunResult::Kind::error;
  if (used_.breach == Breach::time) kind = RunResult::Kind::timeout;
  if (used_.breach == Breach::memory) kind = RunResult::Kind::memory;
  // The system refused memory; the meter did not.
  if (used_.breach == Breach::none && status == LUA_ERRMEM) kind = RunResult::Kind::memory;
  std::string whole;
  std::string fixed;
  if (kind == RunResult::Kind::error && used_.breach == Breach::depth) {
    whole = fixed = "calls nest too deeply";
  } else if (kind == RunResult::Kind::error && is_text(thread_.L, -1)) {
    whole = text::printable(without_place(to_text(thread_.L, -1)), most_error_shown);
    const std::string_view message = to_text(thread_.L, -1);
    fixed = engine_.fixed_text.shown(message, digest_of(message) == engine_.context.raised_by_rule);
  } else if (kind == RunResult::Kind::error) {
    whole = fixed = "an error that is not a text";
  }
  end_as(kind, used_.breach != Breach::none ? used_.place : find_place(thread_.L));
  result_.error = std::move(whole);
  result_.fact.error = std::move(fixed);
}

void Run::give_up() {
  end_as(RunResult::Kind::timeout, thread_.L ? find_place(thread_.L) : Place{});
  result_.was_given_up = true;
}

void Run::end_as(RunResult::Kind kind, const Place& place) {
  result_ = {};
  result_.kind = kind;
  result_.fact.file = place.line == 0 ? rule_.file.c_str() : place.file;
  result_.fact.line = place.line == 0 ? rule_.line : place.line;
  complete_result();
  // What the run has left is garbage from now on, and the collection after this slice shall find it.
  engine_.drop_thread(std::exchange(thread_, {}));
}

void Run::complete_result() {
  result_.fact.rule = rule_.name;
  result_.fact.stage = rule_.stage;
  result_.fact.shadow = is_shadow_for(rule_.mode, case_.mail.id);
  if (engine_.installed == this) restore_variables(engine_.L);
  become(State::ended);
}

void Run::become(State state) {
  const auto is_unfinished = [](State one) { return one == State::waits || one == State::pauses; };
  if (is_unfinished(state_)) --engine_.unfinished;
  if (is_unfinished(state)) ++engine_.unfinished;
  state_ = state;
}

}  // namespace sallyport::lua
