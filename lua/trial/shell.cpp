#include "lua/trial/shell.h"

#include <algorithm>
#include <utility>

#include "gateway/base/ensure.h"
#include "lua/engine/engine.h"
#include "lua/engine/mail_notes.h"
#include "lua/engine/objects.h"
#include "lua/engine/run_changes.h"
#include "lua/trial/library.h"
#include "lua/trial/shown.h"
#include "lua/trial/staged.h"
#include "lua/trial/test_state.h"

namespace sallyport::lua {

namespace {

constexpr Duration cpu_of_a_line = std::chrono::seconds(5);
constexpr std::uint64_t memory_of_a_line = 256u << 20;
constexpr std::uint64_t most_block_octets = 16u << 20;
constexpr std::uint64_t patterns_of_a_line = 1000;
constexpr std::size_t most_printed = 1u << 20;
constexpr std::size_t most_text = 64u << 10;  // of one value
constexpr const char* shell_key = "sallyport.trial.shell";

RuleSettings settings_of_a_line(RuleSettings settings) {
  settings.cpu = cpu_of_a_line;
  settings.memory = memory_of_a_line;
  return settings;
}

// A text stands as it is, line by line; any other value as it would be written.
std::string as_lines(lua_State* L, int index) {
  if (!is_text(L, index)) return shown(L, index);
  std::string lines;
  std::string_view rest = to_text(L, index).substr(0, most_text);
  while (true) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (end != rest.npos && line.ends_with('\r')) line.remove_suffix(1);
    lines += harmless(line, line.size());
    if (end == rest.npos) return lines;
    lines += '\n';
    rest.remove_prefix(end + 1);
  }
}

std::string joined(lua_State* L, int first, int last) {
  std::string line;
  for (int i = first; i <= last; ++i) line += (i == first ? "" : "\t") + as_lines(L, i);
  return line + "\n";
}

}  // namespace

class Shell::State {
 public:
  State(const RuleSettings& settings, std::span<const std::string_view> checks, TrialMail mail);
  Answer execute(const std::string& code);
  const std::vector<LoadError>& load_errors() const { return load_errors_; }

 private:
  static State& of(lua_State* L);
  static int set_up(lua_State* L);
  static int print(lua_State* L);
  static int use(lua_State* L);
  static int push_tx(lua_State* L);
  static int execute_line(lua_State* L);
  static int show_results(lua_State* L, int status, lua_KContext context);
  static Task<void> run(State& self, lua_State* thread, Answer& answer);
  bool compile(lua_State* thread, const std::string& code, Answer& answer);
  void begin_mail(TrialMail mail);
  void enter(Waiting& waiting);
  void leave();
  void take_end(lua_State* thread, int status, Answer& answer);
  std::string shown_changes() const;

  std::unique_ptr<RuleSet> load(const RuleSettings& settings, std::span<const std::string_view> checks);

  TrialLists lists_;
  const RuleServices while_loading_{nullptr, nullptr, &lists_};
  std::vector<LoadError> load_errors_;
  const std::unique_ptr<RuleSet> rules_;
  TestBench bench_;
  Engine engine_;
  Rule line_;  // which rule a line is, for functions that ask
  std::unique_ptr<Staged> staged_;
  std::unique_ptr<TrialMail> next_;  // what use() has been given
  std::uint64_t number_ = 0;         // of the mail; values of earlier ones are stale
  int environment_ = no_reference;
  MailAllowance allowance_;  // these three of the line
  RunChanges changes_;
  MailNotes notes_;
  std::string printed_;
};

Shell::State::State(const RuleSettings& settings, std::span<const std::string_view> checks, TrialMail mail)
    : rules_(load(settings, checks)),
      bench_{*rules_, lists_, settings.path.empty() ? "." : settings.path, {}, {}, 0},
      engine_(settings_of_a_line(settings)) {
  engine_.context.services = &bench_.world.services;
  line_.name = line_.file = "lua";
  bench_.results.push_back({"lua", "", 0, 0, {}, {}});
  set_up_state(engine_.L, bench_);
  lua_pushcfunction(engine_.L, guarded<&State::set_up>);
  lua_pushlightuserdata(engine_.L, this);
  ensure(lua_pcall(engine_.L, 1, 0, 0) == LUA_OK, "trial: the shell cannot be set up");
  begin_mail(std::move(mail));
}

std::unique_ptr<RuleSet> Shell::State::load(const RuleSettings& settings, std::span<const std::string_view> checks) {
  auto rules = RuleSet::load(settings, checks, &while_loading_);
  if (rules) return std::move(*rules);
  load_errors_ = std::move(rules.error());
  return std::move(*RuleSet::load(RuleSettings(), checks, &while_loading_));
}

Shell::State& Shell::State::of(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, shell_key);
  auto& shell = *static_cast<State*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  return shell;
}

// Argument 1: the State.
int Shell::State::set_up(lua_State* L) {
  auto& shell = *static_cast<State*>(lua_touserdata(L, 1));
  lua_pushvalue(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, shell_key);
  push_environment(L);
  for (const auto& [name, module] : {std::pair{"sp", "sallyport"}, std::pair{"t", "sallyport.test"}}) {
    push_module(L, module);
    lua_setfield(L, -2, name);
  }
  lua_pushcfunction(L, guarded<&State::print>);
  lua_setfield(L, -2, "print");
  lua_pushcfunction(L, guarded<&State::use>);
  lua_setfield(L, -2, "use");
  shell.environment_ = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int Shell::State::print(lua_State* L) {
  State& shell = of(L);
  const std::string line = joined(L, 1, lua_gettop(L));
  Context::of(L).meter.spend(L, 10 + line.size());
  if (shell.printed_.size() + line.size() > most_printed) return luaL_error(L, "more than 1 MiB printed in a line");
  shell.printed_ += line;
  return 0;
}

int Shell::State::use(lua_State* L) {
  const TrialMail* mail = trial_mail_at(L, 1);
  if (!mail) return luaL_argerror(L, 1, "expected a mail, made by t.mail");
  of(L).next_ = std::make_unique<TrialMail>(*mail);
  return 0;
}

// Argument 1: the State.
int Shell::State::push_tx(lua_State* L) {
  auto& shell = *static_cast<State*>(lua_touserdata(L, 1));
  lua_rawgeti(L, LUA_REGISTRYINDEX, shell.environment_);
  push_transaction(L, shell.staged_->mail());
  lua_setfield(L, -2, "tx");
  return 0;
}

void Shell::State::begin_mail(TrialMail mail) {
  staged_ = std::make_unique<Staged>(bench_.world, mail, policies::Stage::message);
  engine_.context.run = ++number_;
  lua_pushcfunction(engine_.L, guarded<&State::push_tx>);
  lua_pushlightuserdata(engine_.L, this);
  ensure(lua_pcall(engine_.L, 1, 0, 0) == LUA_OK, "trial: tx cannot be made");
  engine_.context.run = 0;
}

bool Shell::State::compile(lua_State* thread, const std::string& code, Answer& answer) {
  const auto load = [&](const std::string& text) {
    lua_settop(thread, 0);
    lua_pushcfunction(thread, guarded<&State::execute_line>);
    return luaL_loadbufferx(thread, text.data(), text.size(), "=lua", "t") == LUA_OK;
  };
  bool is_loaded = load("return " + code);
  const bool goes_on = !is_loaded && to_text(thread, -1).ends_with("<eof>");
  if (!is_loaded) is_loaded = load(code);
  if (is_loaded) {
    lua_rawgeti(thread, LUA_REGISTRYINDEX, environment_);
    lua_setupvalue(thread, -2, 1);
    return true;
  }
  const std::string_view problem = to_text(thread, -1);
  answer.kind = goes_on || problem.ends_with("<eof>") ? Answer::Kind::unfinished : Answer::Kind::failed;
  answer.error = harmless(problem, most_text);
  return false;
}

void Shell::State::enter(Waiting& waiting) {
  Context& context = engine_.context;
  context.facts = &staged_->facts();
  context.gathering = &staged_->context();
  context.run = number_;
  context.patterns_left = patterns_of_a_line;
  context.rule = &line_;
  context.mail = &staged_->mail();
  context.allowance = &allowance_;
  context.changes = &changes_;
  context.notes = &notes_;
  context.waiting = &waiting;
  context.can_yield = true;
  context.host_yield = HostYield::none;
}

void Shell::State::leave() { engine_.context.forget_run(); }

// Argument 1: the compiled line. Its values are shown within the line's budget and protection, because to show a field
// of an object may raise an error.
int Shell::State::execute_line(lua_State* L) {
  lua_callk(L, 0, LUA_MULTRET, 0, guarded_continuation<&State::show_results>);
  return show_results(L, LUA_OK, 0);
}

int Shell::State::show_results(lua_State* L, int, lua_KContext) { return lua_gettop(L) == 0 ? 0 : print(L); }

void Shell::State::take_end(lua_State* thread, int status, Answer& answer) {
  const Meter& meter = engine_.context.meter;
  answer.kind = Answer::Kind::failed;
  if (meter.breach() != Breach::none) {
    answer.error = meter.breach() == Breach::time     ? "it takes longer than 5 s"
                   : meter.breach() == Breach::memory ? "it takes more than 256 MiB"
                                                      : "calls nest too deeply";
  } else if (status == LUA_YIELD) {
    answer.error = "a line cannot yield";
  } else if (status == LUA_OK) {
    answer.kind = Answer::Kind::done;
  } else if (std::vector<TestFailure>& failures = bench_.results[0].failures; !failures.empty()) {
    answer.error = failures.front().message;  // of t.check or t.equal
  } else {
    answer.error = is_text(thread, -1) ? harmless(to_text(thread, -1), most_text) : "an error that is not a text";
  }
}

// What the line would have changed of the header, were it a rule.
std::string Shell::State::shown_changes() const {
  std::string lines;
  for (const auto& [name, value] : changes_.add_headers) {
    lines += "header: adds " + name + ": " + harmless(value, most_text) + "\n";
  }
  for (const policies::HeaderEdit& edit : changes_.header_edits) {
    lines += edit.value ? "header: replaces " + edit.name + ": " + harmless(*edit.value, most_text) + "\n"
                        : "header: removes " + edit.name + "\n";
  }
  return lines;
}

Task<void> Shell::State::run(State& self, lua_State* thread, Answer& answer) {
  Waiting waiting(self.staged_->context());
  Meter& meter = self.engine_.context.meter;
  Used used;
  bool is_first = true;
  while (true) {
    self.enter(waiting);
    int results = 0;
    meter.start(thread, {cpu_of_a_line, memory_of_a_line, most_block_octets}, used);
    const int status = lua_resume(thread, self.engine_.L, is_first ? 1 : 0, &results);
    is_first = false;
    used = meter.stop();
    const HostYield yield = std::exchange(self.engine_.context.host_yield, HostYield::none);
    if (status != LUA_YIELD || yield == HostYield::none || used.breach != Breach::none) {
      self.take_end(thread, status, answer);
      self.leave();
      co_return;
    }
    lua_pop(thread, results);
    self.leave();
    co_await waiting.news(self.staged_->context().deadline);
    waiting.check();
  }
}

Shell::Answer Shell::State::execute(const std::string& code) {
  Answer answer;
  lua_State* L = engine_.L;
  lua_State* thread = lua_newthread(L);
  printed_.clear();
  allowance_ = {};
  changes_ = {};
  notes_ = {};
  bench_.results.assign(1, {"lua", "", 0, 0, {}, {}});
  bench_.current = 0;
  if (compile(thread, code, answer)) staged_->drive(run(*this, thread, answer));
  for (const LogLine& line : staged_->take_log()) answer.text += "log: " + harmless(line.text, most_text) + "\n";
  if (answer.kind == Answer::Kind::done) answer.text += shown_changes();
  answer.text += printed_;
  lua_settop(L, 0);
  if (next_) begin_mail(std::move(*std::exchange(next_, nullptr)));
  return answer;
}

Shell::Shell(const RuleSettings& settings, std::span<const std::string_view> checks, TrialMail mail)
    : state_(std::make_unique<State>(settings, checks, std::move(mail))) {}

Shell::~Shell() = default;

const std::vector<LoadError>& Shell::load_errors() const { return state_->load_errors(); }

Shell::Answer Shell::execute(const std::string& code) { return state_->execute(code); }

}  // namespace sallyport::lua
