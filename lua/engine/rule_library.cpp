// sp.rule{ name =, stage =, run =, score =, mode =, on_error = }. All errors of one declaration are reported together.
#include <algorithm>
#include <cmath>
#include <optional>

#include "gateway/base/fields.h"
#include "gateway/base/text.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/loading.h"

namespace sallyport::lua {

namespace {

using policies::Mode;
using policies::Stage;

constexpr Argument rule_fields[] = {
    {"name", Kind::line, "1 to 64 letters, digits, `_ . -`; each only once in the directory."},
    {.name = "stage",
     .kind = Kind::line,
     .about =
         "When it runs: `connect` (before the greeting), `helo`, `mail`, `rcpt` (once per recipient), `headers` and "
         "`message` (after the content), `done` (after the reply to it; nothing can be changed any more).",
     .type = "\"connect\"|\"helo\"|\"mail\"|\"rcpt\"|\"headers\"|\"message\"|\"done\""},
    {.name = "run",
     .kind = Kind::function,
     .about = "What it does; gives nil or false (nothing to say), true (a hit with the rule's score) or a verdict.",
     .type = "fun(tx: tx): verdict|boolean|nil"},
    {"score", Kind::number, "What `true`, and a hit without a score of its own, add; 0 where it is left out.", false,
     -most_score, most_score},
    {.name = "mode",
     .kind = Kind::line,
     .about = "`enforce`; `shadow`: runs and is recorded, changes nothing; `off`: does not run; `10%`: enforced for so "
              "many mails of a hundred, in shadow for the others.",
     .required = false,
     .type = "\"enforce\"|\"shadow\"|\"off\"|string"},
    {.name = "group",
     .kind = Kind::line,
     .about = "A name under which the settings give several rules one mode.",
     .required = false},
    {.name = "on_error",
     .kind = Kind::line,
     .about =
         "What a rule that fails or uses up its budget does: `tempfail` (451 4.7.1) or `skip`. Where it is left out, "
         "what `policy.rules.on_error` says; as that has its default, tempfail if the file uses `sp.reject`, "
         "`sp.tempfail`, `sp.drop`, `sp.discard`, `sp.quarantine` or `sp.redirect`, else skip.",
     .required = false,
     .type = "\"tempfail\"|\"skip\""},
};

// Reads one declaration and collects everything that is wrong with it.
class Declaration {
 public:
  explicit Declaration(lua_State* L) : L_(L) {}

  std::vector<std::string> complaints;

  void check_fields() {
    std::vector<std::string> known;
    for (const Argument& field : rule_fields) known.emplace_back(field.name);
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

  void read_group(std::string& group) {
    lua_getfield(L_, 1, "group");
    if (is_text(L_, -1) && is_name(to_text(L_, -1))) {
      group = to_text(L_, -1);
    } else if (!lua_isnil(L_, -1)) {
      complaints.emplace_back("group: expected 1 to 64 letters, digits and _ . -");
    }
    lua_pop(L_, 1);
  }

  void read_mode(RuleMode& mode) {
    lua_getfield(L_, 1, "mode");
    const std::string said = is_text(L_, -1) ? text::printable(to_text(L_, -1), 64) : std::string();
    const bool given = !lua_isnil(L_, -1);
    lua_pop(L_, 1);
    if (!given) return;
    if (const auto read = parse_rule_mode(said)) {
      mode = *read;
      return;
    }
    const std::vector<std::string> known(words_of<Mode>.begin(), words_of<Mode>.end());
    complaints.push_back("mode: expected one of " + text::join(known, ", ") + " or a percentage" + meant(said, known));
  }

  void read_score(double& score) {
    lua_getfield(L_, 1, "score");
    const double number = lua_tonumber(L_, -1);
    if (lua_type(L_, -1) == LUA_TNUMBER && std::abs(number) <= most_score) {
      score = number;
    } else if (!lua_isnil(L_, -1)) {
      complaints.emplace_back("score: expected a number from -1000 to 1000");
    }
    lua_pop(L_, 1);
  }

  template <Worded Value>
  void read_choice(const char* field, Value& value, bool required) {
    lua_getfield(L_, 1, field);
    const bool given = !lua_isnil(L_, -1);
    const std::string said = is_text(L_, -1) ? text::printable(to_text(L_, -1), 64) : std::string();
    lua_pop(L_, 1);
    if (!given && !required) return;
    if (const auto chosen = from_word<Value>(said)) {
      value = *chosen;
      return;
    }
    const std::vector<std::string> choices(words_of<Value>.begin(), words_of<Value>.end());
    complaints.push_back(std::string(field) + ": expected one of " + text::join(choices, ", ") + meant(said, choices));
  }

  // Stores the function in the registry and sets `run` to its reference.
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
  Loading* loading = Context::of(L).loading;
  if (!loading) return luaL_error(L, "sp.rule is only there while a rule file loads");
  loading->declare(L);
  return 0;
}

// The declaration is checked by the function itself, which reports everything that is wrong with it at once.
constexpr Function functions[] = {
    {.name = "rule",
     .about = "Declares a rule; only while a file loads.",
     .call = declare_rule,
     .arguments = {{{.name = "rule", .kind = Kind::dictionary, .fields = rule_fields}}}},
};

}  // namespace

const Library rule_library{.path = "sp", .about = "Rules.", .functions = functions};

void Loading::declare(lua_State* L) {
  const Place place = find_place(L);
  const std::size_t file_index = running_.back();
  const RuleFile& file = files_[file_index];
  if (running_.size() > 1) {
    luaL_error(L, "a file that declares rules cannot be required by another one");
  }

  Rule rule;
  rule.on_error = settings_.on_error;
  rule.file = file.name;
  rule.line = place.line;
  rule.file_index = file_index;

  Declaration declaration(L);
  declaration.check_fields();
  declaration.read_name(rule.name);
  declaration.read_choice("stage", rule.stage, true);
  declaration.read_score(rule.score);
  declaration.read_mode(rule.mode);
  declaration.read_group(rule.group);
  declaration.read_choice("on_error", rule.on_error, false);
  declaration.read_run(rule.run);
  for (const Rule& other : rules_) {
    if (rule.name.empty() || other.name != rule.name) continue;
    declaration.complaints.push_back("name: '" + rule.name + "' is already taken, at " + other.file + ":" +
                                     std::to_string(other.line));
  }
  for (std::string& complaint : declaration.complaints) add_error(place.file, place.line, std::move(complaint));
  rules_.push_back(std::move(rule));
}

}  // namespace sallyport::lua
