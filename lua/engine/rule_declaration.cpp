// sp.rule{ name =, stage =, run =, score =, mode =, on_error = }. Everything wrong with one declaration is told at
// once.
#include <algorithm>
#include <cmath>
#include <optional>

#include "gateway/base/text.h"
#include "lua/engine/arguments.h"
#include "lua/engine/context.h"
#include "lua/engine/loading.h"
#include "lua/engine/sp_library.h"

namespace sallyport::lua {

namespace {

using policies::Mode;
using policies::Stage;

template <class Value>
struct Choice {
  std::string_view name;
  std::optional<Value> value;  // nothing: planned
};

constexpr Choice<Stage> stages[] = {{"connect", Stage::connect}, {"rcpt", Stage::rcpt},  {"message", Stage::message},
                                    {"helo", std::nullopt},      {"mail", std::nullopt}, {"headers", std::nullopt},
                                    {"done", std::nullopt}};
constexpr Choice<Mode> modes[] = {{"enforce", Mode::enforce}, {"shadow", Mode::shadow}, {"off", Mode::off}};
constexpr Choice<OnError> error_actions[] = {{"skip", OnError::skip}, {"tempfail", OnError::tempfail}};

// Reads one declaration; what is wrong with it is collected.
class Declaration {
 public:
  explicit Declaration(lua_State* L) : L_(L) {}

  std::vector<std::string> complaints;

  void check_fields() {
    const std::vector<std::string> known = {"name", "stage", "run", "score", "mode", "on_error"};
    lua_pushnil(L_);
    while (lua_next(L_, 1)) {
      lua_pop(L_, 1);
      const std::string field = is_text(L_, -1) ? text::printable(to_text(L_, -1), 64) : std::string("[?]");
      if (std::find(known.begin(), known.end(), field) != known.end()) continue;
      complaints.push_back("unknown field '" + field + "'" + meant(field, known));
    }
  }

  void read_name(std::string& name) {
    lua_getfield(L_, 1, "name");
    if (is_text(L_, -1) && is_name(to_text(L_, -1))) {
      name = to_text(L_, -1);
    } else {
      complaints.emplace_back("name: expected 1 to 64 letters, digits and _ . -");
    }
    lua_pop(L_, 1);
  }

  void read_score(double& score) {
    lua_getfield(L_, 1, "score");
    if (lua_type(L_, -1) == LUA_TNUMBER && std::isfinite(lua_tonumber(L_, -1))) {
      score = lua_tonumber(L_, -1);
    } else if (!lua_isnil(L_, -1)) {
      complaints.emplace_back("score: expected a number");
    }
    lua_pop(L_, 1);
  }

  template <class Value, std::size_t size>
  void read_choice(const char* field, const Choice<Value> (&choices)[size], Value& value, bool required) {
    lua_getfield(L_, 1, field);
    const bool given = !lua_isnil(L_, -1);
    const std::string word = is_text(L_, -1) ? text::printable(to_text(L_, -1), 64) : std::string();
    lua_pop(L_, 1);
    if (!given && !required) return;
    std::vector<std::string> available;
    for (const Choice<Value>& choice : choices) {
      if (choice.value) available.emplace_back(choice.name);
      if (choice.name != word) continue;
      if (!choice.value) {
        complaints.push_back(std::string(field) + ": '" + word + "' is not available in this version");
        return;
      }
      value = *choice.value;
      return;
    }
    complaints.push_back(std::string(field) + ": expected one of " + text::join(available, ", ") +
                         meant(word, available));
  }

  // Keeps the function; a reference to it.
  void read_run(int& run) {
    lua_getfield(L_, 1, "run");
    if (lua_isfunction(L_, -1) && !lua_iscfunction(L_, -1)) {
      run = luaL_ref(L_, LUA_REGISTRYINDEX);
      return;
    }
    complaints.emplace_back("run: expected a function");
    lua_pop(L_, 1);
  }

 private:
  static std::string meant(const std::string& word, const std::vector<std::string>& known) {
    const std::string_view near = text::did_you_mean(word, known);
    return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
  }

  lua_State* L_;
};

int declare_rule(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  Loading* loading = Context::of(L).loading;
  if (!loading) return luaL_error(L, "sp.rule is only there while a rule file loads");
  loading->declare(L);
  return 0;
}

}  // namespace

void Loading::declare(lua_State* L) {
  const Place place = find_place(L);
  const std::size_t file_index = running_.back();
  const RuleFile& file = files_[file_index];
  if (running_.size() > 1) {
    luaL_error(L, "a file that declares rules cannot be required by another one");
  }

  Rule rule;
  rule.mode = Mode::enforce;
  rule.on_error = settings_.on_error;
  rule.file = file.name;
  rule.line = place.line;
  rule.file_index = file_index;

  Declaration declaration(L);
  declaration.check_fields();
  declaration.read_name(rule.name);
  declaration.read_choice("stage", stages, rule.stage, true);
  declaration.read_score(rule.score);
  declaration.read_choice("mode", modes, rule.mode, false);
  declaration.read_choice("on_error", error_actions, rule.on_error, false);
  declaration.read_run(rule.run);
  for (const Rule& other : rules_) {
    if (rule.name.empty() || other.name != rule.name) continue;
    declaration.complaints.push_back("name: '" + rule.name + "' is already taken, at " + other.file + ":" +
                                     std::to_string(other.line));
  }
  for (std::string& complaint : declaration.complaints) add_error(place.file, place.line, std::move(complaint));
  rules_.push_back(std::move(rule));
}

void add_rule_declaration(lua_State* L) {
  lua_pushcfunction(L, guarded<declare_rule>);
  lua_setfield(L, -2, "rule");
}

}  // namespace sallyport::lua
