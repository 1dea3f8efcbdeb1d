#include "lua/engine/rule_set.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <tuple>

#include "gateway/base/ensure.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/libraries.h"
#include "lua/engine/loading.h"
#include "lua/engine/objects.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

constexpr std::uint64_t most_block_octets = 1u << 20;
constexpr std::uint64_t patterns_per_run = 16;
// A collection begins when the garbage exceeds the octets that survived the last collection plus least_garbage_octets.
// It then does one step after each run, and one more for every octets_per_step that the run has used.
constexpr std::uint64_t least_garbage_octets = 1u << 20;
constexpr std::uint64_t octets_per_step = 64u << 10;
constexpr int step_size_log2 = 10;  // a step takes about ten microseconds
static_assert(no_reference == LUA_NOREF);

constexpr const char* modules_key = "sallyport.modules";

int on_panic(lua_State*) { throw BrokenInvariant("Lua: an error outside of a protected call"); }

// Implements require(name). While files load it executes them; later it only gives `sallyport` and files already
// loaded.
int require(lua_State* L) {
  const std::string_view name = check_text(L, 1);
  if (name == "sallyport") {
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
  }
  if (Loading* loading = Context::of(L).loading) {
    loading->require(L, name);
    return 1;
  }
  lua_getfield(L, LUA_REGISTRYINDEX, modules_key);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) == LUA_TNIL) return luaL_error(L, "files can be required only while the rules load");
  return 1;
}

}  // namespace

struct RuleSet::State {
  State() : L(lua_newstate(Meter::allocate, &context.meter)) {
    if (!L) throw std::bad_alloc();
    context.attach(L);
    lua_atpanic(L, on_panic);
  }
  ~State() { lua_close(L); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Context context;
  lua_State* const L;
  int globals = no_reference;
  std::vector<RuleFile> files;
  std::unique_ptr<Loading> loading;
  int spare_thread = no_reference;  // Lua thread of an earlier run that ended well, to be used again
  std::uint64_t octets_alive = 0;
  bool collecting = false;
};

struct RuleSet::Run {
  RuleSet& set;
  const Rule& rule;
  const policies::Transaction& mail;
  RunResult result;
};

RuleSet::RuleSet(const RuleSettings& settings) : settings_(settings), state_(std::make_unique<State>()) {}

RuleSet::~RuleSet() = default;

std::uint64_t RuleSet::octets_in_use() const { return state_->context.meter.octets_in_use(); }

// -- loading

int RuleSet::set_up(lua_State* L) {
  auto& set = *static_cast<RuleSet*>(lua_touserdata(L, 1));
  lua_settop(L, 0);
  register_object_types(L);
  push_globals(L);
  push_sp(L);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, guarded<require>, 1);
  lua_setfield(L, 1, "require");
  const std::string complaint = freeze(L, 1);
  ensure(complaint.empty(), "Lua: a library cannot be frozen");

  // All strings share one metatable; it must have our string library instead of Lua's.
  lua_pushliteral(L, "");
  lua_newtable(L);
  lua_getfield(L, 1, LUA_STRLIBNAME);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);

  lua_settop(L, 1);
  set.state_->globals = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int RuleSet::load_files(lua_State* L) {
  auto& set = *static_cast<RuleSet*>(lua_touserdata(L, 1));
  Loading& loading = *set.state_->loading;
  loading.run(set.state_->globals);
  if (!loading.errors().empty()) return 0;
  loading.finish();

  lua_newtable(L);
  for (const RuleFile& file : loading.files()) {
    push(L, std::string_view(file.name).substr(0, file.name.rfind('.')));
    lua_rawgeti(L, LUA_REGISTRYINDEX, file.module);
    lua_rawset(L, -3);
  }
  lua_setfield(L, LUA_REGISTRYINDEX, modules_key);
  return 0;
}

Result<std::unique_ptr<RuleSet>, std::vector<LoadError>> RuleSet::load(const RuleSettings& settings,
                                                                       std::span<const std::string_view> checks) {
  std::unique_ptr<RuleSet> set(new RuleSet(settings));
  State& state = *set->state_;
  state.context.checks = KnownChecks({checks.begin(), checks.end()});
  const auto call = [&](lua_CFunction function) {
    lua_pushcfunction(state.L, function);
    lua_pushlightuserdata(state.L, set.get());
    const int status = lua_pcall(state.L, 1, 0, 0);
    lua_settop(state.L, 0);
    ensure(status == LUA_OK, "Lua: rules could not be loaded");
  };
  call(guarded<&RuleSet::set_up>);
  state.loading = std::make_unique<Loading>(state.L, settings);
  call(guarded<&RuleSet::load_files>);
  std::vector<LoadError> errors = std::move(state.loading->errors());
  set->rules_ = std::move(state.loading->rules());
  state.files = std::move(state.loading->files());
  state.loading.reset();
  if (!errors.empty()) {
    for (LoadError& error : errors) {
      if (!error.file.empty()) error.file = (std::filesystem::path(settings.path) / error.file).string();
    }
    const auto place = [](const LoadError& error) { return std::tie(error.file, error.line, error.column); };
    std::stable_sort(errors.begin(), errors.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    return errors;
  }

  // From now on garbage is collected between runs only.
  state.context.meter.settle();
  lua_gc(state.L, LUA_GCCOLLECT);
  lua_gc(state.L, LUA_GCSTOP);
  lua_gc(state.L, LUA_GCINC, 0, 0, step_size_log2);
  state.octets_alive = state.context.meter.octets_in_use();
  return set;
}

// -- running

lua_State* RuleSet::take_thread(lua_State* L) {
  if (state_->spare_thread == no_reference) return lua_newthread(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, state_->spare_thread);
  luaL_unref(L, LUA_REGISTRYINDEX, state_->spare_thread);
  state_->spare_thread = no_reference;
  return lua_tothread(L, -1);
}

// Argument 1 is the Run. The rule runs as a coroutine so that, in a later version, a function of ours can wait by
// yielding: lua_resume() here would return the request, and the next lua_resume() would pass the answer in.
int RuleSet::run_protected(lua_State* L) {
  Run& run = *static_cast<Run*>(lua_touserdata(L, 1));
  State& state = *run.set.state_;
  const RuleFile& file = state.files[run.rule.file_index];
  lua_settop(L, 0);
  lua_State* const thread = run.set.take_thread(L);

  // Each run gets a new table of globals, which reads through to the globals that the file had after loading.
  lua_rawgeti(L, LUA_REGISTRYINDEX, file.chunk);
  lua_newtable(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, file.run_environment);
  lua_setmetatable(L, -2);
  lua_setupvalue(L, -2, 1);

  lua_rawgeti(L, LUA_REGISTRYINDEX, run.rule.run);
  push_transaction(L, run.mail);
  lua_xmove(L, thread, 2);
  const RuleSettings& settings = run.set.settings_;
  Meter& meter = state.context.meter;
  state.context.patterns_left = patterns_per_run;
  int results = 0;
  meter.start(thread, {settings.cpu, settings.memory, most_block_octets});
  const int status = lua_resume(thread, L, 1, &results);
  meter.stop();

  for (const Upvalue& upvalue : run.rule.upvalues) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, upvalue.value);
    lua_setupvalue(L, -2, upvalue.number);
    lua_pop(L, 1);
  }
  if (status != LUA_OK || meter.breach() != Breach::none) {
    run.set.read_failure(thread, status, run);
    return 0;
  }
  run.set.read_result(thread, results, run);
  lua_settop(thread, 0);
  lua_settop(L, 1);
  state.spare_thread = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

void RuleSet::read_result(lua_State* thread, int results, Run& run) const {
  RunResult& result = run.result;
  const int first = results > 0 ? lua_gettop(thread) - results + 1 : 0;
  if (first == 0 || lua_isnil(thread, first)) return;
  if (lua_isboolean(thread, first)) {
    if (!lua_toboolean(thread, first)) return;
    result.kind = RunResult::Kind::verdict;
    result.fact.answer = RuleAnswer::hit;
    result.fact.score = run.rule.score;
  } else if (const RuleVerdict* verdict = to_verdict(thread, first)) {
    result.kind = RunResult::Kind::verdict;
    result.fact = verdict->fact;
    if (result.fact.answer == RuleAnswer::hit && !verdict->has_score) result.fact.score = run.rule.score;
  } else {
    // The rule has already returned, so the only line left to report is where its function begins.
    lua_Debug function;
    lua_rawgeti(thread, LUA_REGISTRYINDEX, run.rule.run);
    lua_getinfo(thread, ">S", &function);
    result.kind = RunResult::Kind::error;
    result.fact.file = function.source + 1;
    result.fact.line = function.linedefined;
  }
}

void RuleSet::read_failure(lua_State* thread, int status, Run& run) const {
  const Meter& meter = state_->context.meter;
  Place place = meter.breach() != Breach::none ? meter.place() : find_place(thread);
  if (place.line == 0) place = {run.rule.file.c_str(), run.rule.line};
  run.result.kind = RunResult::Kind::error;
  if (meter.breach() == Breach::time) run.result.kind = RunResult::Kind::timeout;
  if (meter.breach() == Breach::memory) run.result.kind = RunResult::Kind::memory;
  // The system refused memory; the meter did not.
  if (meter.breach() == Breach::none && status == LUA_ERRMEM) run.result.kind = RunResult::Kind::memory;
  run.result.fact.file = place.file;
  run.result.fact.line = place.line;
}

RunResult RuleSet::run(const Rule& rule, const policies::Transaction& mail, const policies::Facts& facts) {
  Run run{*this, rule, mail, {}};
  state_->context.facts = &facts;
  lua_State* L = state_->L;
  const std::uint64_t before = octets_in_use();
  lua_pushcfunction(L, guarded<&RuleSet::run_protected>);
  lua_pushlightuserdata(L, &run);
  const int status = lua_pcall(L, 1, 0, 0);
  lua_settop(L, 0);
  if (status != LUA_OK) {
    // The error came from the code around the rule, in most cases because memory ran out there.
    state_->context.meter.stop();
    run.result = {};
    run.result.kind = status == LUA_ERRMEM ? RunResult::Kind::memory : RunResult::Kind::error;
    run.result.fact.file = rule.file;
    run.result.fact.line = rule.line;
  }
  ++state_->context.run;
  state_->context.facts = nullptr;
  state_->context.findings.reset();
  run.result.fact.rule = rule.name;
  run.result.fact.stage = rule.stage;
  run.result.fact.shadow = rule.mode == policies::Mode::shadow;

  const std::uint64_t used = octets_in_use() - std::min(before, octets_in_use());
  collect_garbage(used);
  return std::move(run.result);
}

void RuleSet::collect_garbage(std::uint64_t octets_used) {
  State& state = *state_;
  if (!state.collecting && octets_in_use() < 2 * state.octets_alive + least_garbage_octets) return;
  state.collecting = true;
  for (std::uint64_t steps = 1 + octets_used / octets_per_step; steps > 0; --steps) {
    if (lua_gc(state.L, LUA_GCSTEP, 0) == 0) continue;
    state.collecting = false;
    state.octets_alive = octets_in_use();
    return;
  }
}

}  // namespace sallyport::lua
