#include "lua/engine/rule_set.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "gateway/base/ensure.h"
#include "lua/engine/engine.h"
#include "lua/engine/frozen.h"
#include "lua/engine/libraries.h"
#include "lua/engine/registration.h"
#include "lua/engine/run.h"

namespace sallyport::lua {

namespace {

// A run that waits holds some kilobytes; 12,000 of them, or the memory of four runs, is much for one worker. Ten
// thousand leave room for a mail beside them, so that it does not queue behind those that wait.
constexpr std::size_t most_unfinished = 12'000;
constexpr std::uint64_t crowded_at_runs_worth = 4;
constexpr std::uint64_t steps_of_a_share = 50;

static_assert(no_reference == LUA_NOREF);

constexpr const char* modules_key = "sallyport.modules";

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

RuleSet::RuleSet(const RuleSettings& settings) : engine_(std::make_unique<Engine>(settings)) {}

RuleSet::~RuleSet() = default;

void RuleSet::use_suffixes(const PublicSuffixList& suffixes) { engine_->context.suffixes = &suffixes; }
std::uint64_t RuleSet::octets_in_use() const { return engine_->octets_in_use(); }
std::size_t RuleSet::unfinished() const { return engine_->unfinished; }

bool RuleSet::is_crowded() const {
  return engine_->unfinished >= most_unfinished ||
         engine_->octets_of_runs() > crowded_at_runs_worth * engine_->settings.memory;
}

bool RuleSet::collect_garbage() { return engine_->collect(steps_of_a_share); }

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

  lua_getfield(L, 1, LUA_STRLIBNAME);
  set_string_metatable(L);

  lua_settop(L, 1);
  set.engine_->globals = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int RuleSet::load_files(lua_State* L) {
  auto& set = *static_cast<RuleSet*>(lua_touserdata(L, 1));
  Loading& loading = *set.engine_->loading;
  loading.run(set.engine_->globals);
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

void RuleSet::use(const RuleServices* services) { engine_->context.services = services; }

Result<std::unique_ptr<RuleSet>, std::vector<LoadError>> RuleSet::load(const RuleSettings& settings,
                                                                       std::span<const std::string_view> checks,
                                                                       const RuleServices* services,
                                                                       std::vector<std::string> upstreams) {
  std::unique_ptr<RuleSet> set(new RuleSet(settings));
  Engine& engine = *set->engine_;
  set->use(services);
  engine.context.checks = KnownNames("check", {checks.begin(), checks.end()});
  engine.context.upstreams = KnownNames("upstream", std::move(upstreams));
  const auto call = [&](lua_CFunction function) {
    lua_pushcfunction(engine.L, function);
    lua_pushlightuserdata(engine.L, set.get());
    const int status = lua_pcall(engine.L, 1, 0, 0);
    lua_settop(engine.L, 0);
    ensure(status == LUA_OK, "Lua: rules could not be loaded");
  };
  call(guarded<&RuleSet::set_up>);
  engine.loading = std::make_unique<Loading>(engine.L, engine.settings);
  call(guarded<&RuleSet::load_files>);
  std::vector<LoadError> errors = std::move(engine.loading->errors());
  set->rules_ = std::move(engine.loading->rules());
  set->unused_ = std::move(engine.loading->unused());
  engine.files = std::move(engine.loading->files());
  engine.loading.reset();
  for (const RuleFile& file : engine.files) engine.fixed_text.add(file.source);
  if (!errors.empty()) {
    for (LoadError& error : errors) {
      if (!error.file.empty()) error.file = (std::filesystem::path(settings.path) / error.file).string();
    }
    const auto place = [](const LoadError& error) { return std::tie(error.file, error.line, error.column); };
    std::stable_sort(errors.begin(), errors.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    return errors;
  }

  engine.settle();
  return set;
}

// -- running

std::unique_ptr<Run> RuleSet::begin(const Rule& rule, const RunCase& of) {
  return std::make_unique<Run>(*engine_, rule, of);
}

RunResult RuleSet::run(const Rule& rule, const policies::Transaction& mail, const policies::Facts& facts) {
  Run run(*engine_, rule, {mail, facts});
  ensure(run.go_on() == Run::State::ended, "Lua: a run without a context waits");
  return std::move(run.result());
}

}  // namespace sallyport::lua
